"""Settings of functions that decide about events and that moto does not keep: DeadLetterConfig, and
PutFunctionRecursionConfig with its GetFunctionRecursionConfig.
"""

import functools
import json
from typing import Any
from urllib.parse import unquote

from moto.awslambda import urls
from moto.awslambda.exceptions import ValidationException
from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.awslambda.responses import LambdaResponse

_CHOICES = ("Allow", "Terminate")
_installed = False


def dead_letter_arn(function: LambdaFunction) -> str | None:
    """The queue or topic to which a function's discarded events go."""
    return getattr(function, "dead_letter_arn", None)


def recursive_loop(function_arn: str) -> str:
    """Allow or Terminate: what happens to a function that is found in a loop."""
    _, _, _, region, account, _, name = function_arn.split(":")[:7]
    function = lambda_backends[account][region].get_function(name)
    return getattr(function, "recursive_loop", "Terminate")


def install() -> None:
    """Add the settings to moto's functions. May be called more than once."""
    global _installed
    if _installed:
        return
    _installed = True
    moto_init = LambdaFunction.__init__
    moto_configuration = LambdaFunction.get_configuration
    moto_update = LambdaFunction.update_configuration

    @functools.wraps(moto_init)
    def __init__(self, account_id, spec, region, version=1):
        moto_init(self, account_id, spec, region, version)
        _set_dead_letter_config(self, spec)

    @functools.wraps(moto_configuration)
    def get_configuration(self, on_create=False):
        configuration = moto_configuration(self, on_create=on_create)
        if dead_letter_arn(self):
            configuration["DeadLetterConfig"] = {"TargetArn": dead_letter_arn(self)}
        return configuration

    @functools.wraps(moto_update)
    def update_configuration(self, config_updates):
        answer = moto_update(self, config_updates)
        _set_dead_letter_config(self, config_updates)
        return answer if "DeadLetterConfig" not in config_updates else self.get_configuration()

    LambdaFunction.__init__ = __init__
    LambdaFunction.get_configuration = get_configuration
    LambdaFunction.update_configuration = update_configuration
    LambdaResponse.put_function_recursion_config = _put_recursion_config
    LambdaResponse.get_function_recursion_config = _get_recursion_config
    path = r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/recursion-config/?$"
    urls.url_paths[path] = LambdaResponse.dispatch


def _set_dead_letter_config(function: LambdaFunction, settings: dict[str, Any]) -> None:
    if "DeadLetterConfig" in settings:
        function.dead_letter_arn = (settings["DeadLetterConfig"] or {}).get("TargetArn") or None


def _put_recursion_config(self: LambdaResponse) -> str:
    choice = self.json_body.get("RecursiveLoop")
    if choice not in _CHOICES:
        raise ValidationException(
            choice, "recursiveLoop", "Member must satisfy enum value set: [Allow, Terminate]"
        )
    function = self.backend.get_function(unquote(self.path.rsplit("/", 2)[1]))
    function.recursive_loop = choice
    return json.dumps({"RecursiveLoop": choice})


def _get_recursion_config(self: LambdaResponse) -> str:
    function = self.backend.get_function(unquote(self.path.rsplit("/", 2)[1]))
    return json.dumps({"RecursiveLoop": recursive_loop(function.function_arn)})
