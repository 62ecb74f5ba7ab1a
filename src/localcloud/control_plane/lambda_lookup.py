"""Which function, version or alias a request to Lambda means, and where moto keeps it.

What belongs to a function as invoked by one qualifier - its resource policy, its settings for
asynchronous invocation, its URL, its provisioned concurrency - lies on moto's object for that
qualifier: the function itself for $LATEST, the published version, the alias. It goes with it.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from moto.awslambda.models import LambdaAlias, LambdaBackend, LambdaFunction, lambda_backends

from .lambda_errors import LambdaError, function_not_found, invalid_parameter, not_found

LATEST = "$LATEST"
_NAME = re.compile(
    r"(?:arn:[\w-]+:lambda:)?(?:(?P<region>[a-z]{2}(?:-\w+)+-\d):)?(?:(?P<account>\d{12}):)?"
    r"(?:function:)?(?P<name>[\w.-]+)(?::(?P<qualifier>[$\w.-]+))?"
)
_PAGE = 50

Resource = LambdaFunction | LambdaAlias


@dataclass(frozen=True)
class Call:
    """One call of an operation: whose account and region, and the parameters."""

    account_id: str
    region: str
    parameters: dict[str, Any]

    @functools.cached_property
    def backend(self) -> LambdaBackend:
        """moto's Lambda of the account and region."""
        return lambda_backends[self.account_id][self.region]

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter, or the default where it was not given."""
        return self.parameters.get(name, default)

    def arn(self, name: str, qualifier: str | None = None) -> str:
        """The ARN of a function, qualified where a qualifier is given."""
        unqualified = f"arn:aws:lambda:{self.region}:{self.account_id}:function:{name}"
        return f"{unqualified}:{qualifier}" if qualifier else unqualified

    def named(self) -> tuple[str, str | None]:
        """The name and the qualifier that FunctionName and Qualifier give, in whatever form.

        Raises LambdaError where the ARN is another region's or account's, or the two disagree.
        """
        return self.split(self.parameters["FunctionName"], self.get("Qualifier"))

    def split(self, name_or_arn: str, qualifier: str | None = None) -> tuple[str, str | None]:
        """The same for any name, partial ARN or ARN."""
        found = _NAME.fullmatch(name_or_arn)
        if not found:
            raise function_not_found(name_or_arn)
        if found["account"] and found["account"] != self.account_id:
            raise LambdaError("AccessDeniedException", None)
        if found["region"] and found["region"] != self.region:
            raise not_found(
                f"Functions from '{found['region']}' are not reachable in this region "
                f"('{self.region}')"
            )
        if qualifier and found["qualifier"] and qualifier != found["qualifier"]:
            raise invalid_parameter(
                "The derived qualifier from the function name does not match the specified "
                "qualifier."
            )
        return found["name"], qualifier or found["qualifier"]

    # -- what there is -----------------------------------------------------------------------------

    def find_function(self, name: str) -> LambdaFunction | None:
        """The function's $LATEST; None where there is no such function."""
        group = self.backend._lambdas._functions.get(name)
        return group["latest"] if group else None

    def function(self, name: str, shown: str | None = None) -> LambdaFunction:
        """The function's $LATEST. Raises LambdaError, which shows the ARN with `shown`, a qualifier."""
        function = self.find_function(name)
        if function is None:
            raise function_not_found(self.arn(name, shown))
        return function

    def versions(self, name: str) -> list[LambdaFunction]:
        """The published versions, oldest first."""
        return self.backend._lambdas._functions[name]["versions"]

    def version(self, name: str, version: str) -> LambdaFunction | None:
        """$LATEST or a published version; None where there is none."""
        if version == LATEST:
            return self.find_function(name)
        return self.backend._lambdas._get_version(name, version)

    def aliases(self, name: str) -> dict[str, LambdaAlias]:
        """The function's aliases by name."""
        return self.backend._lambdas._aliases[self.arn(name)]

    def find(self, name: str, qualifier: str | None) -> Resource | None:
        """What a qualifier means: the function for none or $LATEST, a version or an alias."""
        if self.find_function(name) is None:
            return None
        return self.version(name, qualifier or LATEST) or self.aliases(name).get(qualifier)

    def resource(self) -> Resource:
        """What FunctionName and Qualifier mean. Raises LambdaError."""
        name, qualifier = self.named()
        found = self.find(name, qualifier)
        if found is None:
            raise function_not_found(self.arn(name, qualifier))
        return found

    def resources(self, name: str) -> list[tuple[str, Resource]]:
        """All that a function has, by qualifier: $LATEST, versions and aliases."""
        return [
            (LATEST, self.function(name)),
            *((str(version.version), version) for version in self.versions(name)),
            *self.aliases(name).items(),
        ]


def page(
    call: Call, items: Sequence[Any] | Iterable[Any], member: str, largest: int = _PAGE
) -> dict[str, Any]:
    """A page of a list as the operation answers it: at most MaxItems after Marker.

    A page holds `largest` items at most, whatever MaxItems says (Lambda API reference, ListFunctions).
    Raises LambdaError for a marker that isn't one.
    """
    items = list(items)
    start = 0
    if call.get("Marker"):
        try:
            start = int(base64.b64decode(call.get("Marker"), validate=True))
        except (binascii.Error, ValueError):
            raise invalid_parameter("Invalid marker") from None  # text UNCONFIRMED
    end = start + min(call.get("MaxItems", largest), largest)
    answer: dict[str, Any] = {member: items[start:end]}
    if end < len(items):
        answer["NextMarker"] = base64.b64encode(str(end).encode()).decode()
    return answer
