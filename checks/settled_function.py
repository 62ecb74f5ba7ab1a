"""A function with an alias `live`, to which the learner's settings of stage 03 are applied."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from labkit.grading import Unmet

from .deployment import ROLE_S, Answer, Deployment, invoker

ALIAS = "live"
SETTINGS = "settings.json"
# In the order in which they are made: a version keeps the dead-letter queue that it was published with, and
# provisioned concurrency has to fit into what is reserved.
_CALLS = (
    "UpdateFunctionConfiguration",
    "PutFunctionConcurrency",
    "PutProvisionedConcurrencyConfig",
    "PutFunctionEventInvokeConfig",
)
# AWS provides environments within some minutes, the local cloud within moments.
PROVISIONED_S = 300
_DEFAULT_RETRIES, _DEFAULT_AGE_S = 2, 21600


class SettledFunction:
    """A function of the storm, once its settings are made.

    `done` is the ARN of a queue that hears of each success, where the check wants to know. Raises Unmet where
    the settings are not of the form that storm.md describes, or where the cloud refuses them.
    """

    def __init__(
        self,
        deployment: Deployment,
        word: str,
        source: str,
        settings: Any,
        *,
        role: str,
        done: str | None = None,
    ):
        calls = _checked(word, settings)
        self._deployment, self._lambda = deployment, deployment.client("lambda")
        self.name = deployment.function(word, {"app.py": source}, handler="app.handler", role=role)
        if letters := calls["UpdateFunctionConfiguration"]:
            self._once_the_role_is_known(
                self._lambda.update_function_configuration, {**letters, "FunctionName": self.name}
            )
            deployment.wait_until_active(self.name)
        version = self._lambda.publish_version(FunctionName=self.name)["Version"]
        self._lambda.create_alias(FunctionName=self.name, Name=ALIAS, FunctionVersion=version)
        self._alias = {"FunctionName": self.name, "Qualifier": ALIAS}
        if reserved := calls["PutFunctionConcurrency"]:
            self._lambda.put_function_concurrency(**{**reserved, "FunctionName": self.name})
        if provisioned := calls["PutProvisionedConcurrencyConfig"]:
            self._lambda.put_provisioned_concurrency_config(**{**provisioned, **self._alias})
            deployment.wait_for(self._is_provided, PROVISIONED_S, words="provisioned concurrency")
        events = calls["PutFunctionEventInvokeConfig"]
        there = events.get("DestinationConfig", {})
        if done and isinstance(there, dict):  # if it is none, the call says so
            there = {**there, "OnSuccess": {"Destination": done}}
            events = {**events, "DestinationConfig": there}
        if events:
            self._once_the_role_is_known(
                self._lambda.put_function_event_invoke_config, {**events, **self._alias}
            )

    @property
    def reserved(self) -> int | None:
        """Its reserved concurrency, as the cloud has it."""
        found = self._lambda.get_function_concurrency(FunctionName=self.name)
        return found.get("ReservedConcurrentExecutions")

    @property
    def provisioned(self) -> int:
        """Its provisioned concurrency, as the cloud has it."""
        try:
            found = self._lambda.get_provisioned_concurrency_config(**self._alias)
        except self._lambda.exceptions.ProvisionedConcurrencyConfigNotFoundException:
            return 0
        return found["RequestedProvisionedConcurrentExecutions"]

    @property
    def patience(self) -> tuple[int, int]:
        """How many retries an event has, and how old it may get, in s."""
        found = self._event_settings()
        return (
            found.get("MaximumRetryAttempts", _DEFAULT_RETRIES),
            found.get("MaximumEventAgeInSeconds", _DEFAULT_AGE_S),
        )

    @property
    def keeps_failures(self) -> bool:
        """Whether an event that fails for good has anywhere to go."""
        found = self._lambda.get_function_configuration(**self._alias)
        return "TargetArn" in found.get("DeadLetterConfig", {}) or bool(
            self._event_settings().get("DestinationConfig", {}).get("OnFailure")
        )

    def call(self, event: Any) -> Answer:
        """Invoke it and wait for the answer."""
        return self._deployment.invoke(f"{self.name}:{ALIAS}", event)

    def send(self, event: Any) -> None:
        """Invoke it asynchronously."""
        payload = json.dumps(event)
        invoker().invoke(**self._alias, InvocationType="Event", Payload=payload)

    @contextlib.contextmanager
    def switched_off(self) -> Iterator[None]:
        """It runs nothing meanwhile: what is sent to it fails at once. Nothing stays provisioned."""
        before = self.reserved
        if self.provisioned:
            self._lambda.delete_provisioned_concurrency_config(**self._alias)
        name = {"FunctionName": self.name}
        self._lambda.put_function_concurrency(**name, ReservedConcurrentExecutions=0)
        yield
        if before is None:
            self._lambda.delete_function_concurrency(**name)
        else:
            self._lambda.put_function_concurrency(**name, ReservedConcurrentExecutions=before)

    def _once_the_role_is_known(
        self, call: Callable[..., Any], parameters: Mapping[str, Any]
    ) -> None:
        """Make a call that names a queue; on AWS a new role's permissions take seconds to be known."""

        def made() -> bool:
            try:
                call(**parameters)
            except ClientError as error:
                if "does not have permissions" in str(error):
                    return False
                raise
            return True

        self._deployment.wait_for(made, ROLE_S, words="the role to be allowed to send to the queue")

    def _event_settings(self) -> dict[str, Any]:
        try:
            return self._lambda.get_function_event_invoke_config(**self._alias)
        except self._lambda.exceptions.ResourceNotFoundException:
            return {}

    def _is_provided(self) -> bool:
        found = self._lambda.get_provisioned_concurrency_config(**self._alias)
        return found["Status"] == "READY"


def _checked(word: str, settings: Any) -> dict[str, Mapping[str, Any]]:
    found = settings.get(word) if isinstance(settings, dict) else None
    fine = isinstance(found, dict) and all(isinstance(each, dict) for each in found.values())
    unknown = sorted(set(found) - set(_CALLS)) if fine else []
    others = sorted(set(found.get(_CALLS[0], {})) - {"DeadLetterConfig"}) if fine else []
    if not fine or unknown or others:
        what = (
            f"unknown: {', '.join(unknown + others)}" if fine else f'no such object under "{word}"'
        )
        raise Unmet(
            tried=f'read "{word}" in {SETTINGS}',
            expected=f"an object with the parameters of {', '.join(_CALLS[1:])}, as storm.md says",
            seen=what,
        )
    return {call: found.get(call, {}) for call in _CALLS}
