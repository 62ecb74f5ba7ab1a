"""What each generation of models says to temperature, top_p and max_tokens (facts H3)."""

from .catalogue import Model
from .conversations import Conversation
from .errors import invalid

_NOT_BOTH = (
    "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
)
_TAKEN = "`{}` is deprecated for this model."


def problem(model: Model, asked: Conversation) -> str | None:
    """What the model says to parameters that it doesn't take; None where it takes them."""
    if model.sampling == "one" and asked.temperature is not None and asked.top_p is not None:
        return _NOT_BOTH
    if model.sampling == "none":
        for name in ("temperature", "top_p", "top_k"):
            value = getattr(asked, name)
            # A temperature of exactly 1 is let through. The texts for top_p and top_k are UNCONFIRMED.
            if value is not None and not (name == "temperature" and value == 1.0):
                return _TAKEN.format(name)
    return None


def check_max_tokens(model: Model, asked: Conversation) -> None:
    """Raise ValidationException where more tokens are asked for than the model writes."""
    if asked.max_tokens and model.max_output and asked.max_tokens > model.max_output:
        raise invalid(
            f"The maximum tokens you requested exceeds the model limit of {model.max_output}. Try "
            f"again with a maximum tokens value that is lower than {model.max_output}."
        )
