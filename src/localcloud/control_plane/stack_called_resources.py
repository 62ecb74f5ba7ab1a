"""Resource types that are made by their service's own operations: those of functions and their sources.

AWS::Lambda::Version, Alias, Url and EventInvokeConfig, AWS::SNS::Subscription, AWS::SQS::QueuePolicy.
Properties, return values and what makes a replacement are those of CloudFormation's resource schemas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from moto.core.common_models import CloudFormationModel

from . import service_calls, stack_names
from .service_calls import call
from .stack_made import Made


class Called(Made):
    """A resource made by operations. `found` are the parameters by which they find it.

    NAME is the property that gives it its name, if CloudFormation makes one up where it is left out.
    """

    TYPE, NAME = "", ""

    def __init__(self, id: str, found: Mapping[str, str], attributes: Mapping[str, str]):
        super().__init__(id, attributes)
        self.found = dict(found)

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.TYPE

    @classmethod
    def _client(cls, region: str) -> Any:
        return service_calls.client(cls.TYPE.split("::")[1].lower(), region)

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        named = {cls.NAME: resource_name} if cls.NAME else {}
        return cls._make(cls._client(region_name), {**named, **cloudformation_json["Properties"]})

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        original_resource._change(cls._client(region_name), cloudformation_json["Properties"])
        return original_resource

    def delete(self, account_id: str, region: str) -> None:
        self._remove(self._client(region))

    @contextmanager
    def _whole(self, client: Any) -> Iterator[None]:
        """What has been made is removed again where a second call, made inside, fails."""
        try:
            yield
        except Exception:
            self._remove(client)
            raise


def _provision(client: Any, found: Mapping[str, str], properties: Mapping[str, Any]) -> None:
    """Provisioned concurrency of a version or an alias, as a template has it."""
    given = properties.get("ProvisionedConcurrencyConfig")
    if given:
        call(client, "put_provisioned_concurrency_config", {**given, **found})
    else:
        client.delete_provisioned_concurrency_config(**found)


class StackVersion(Called, CloudFormationModel):
    """AWS::Lambda::Version; Ref gives the version's ARN."""

    TYPE, ATTRIBUTES = "AWS::Lambda::Version", ("FunctionArn", "Version")

    @classmethod
    def _make(cls, client, properties):
        made = call(client, "publish_version", properties)
        found = {"FunctionName": properties["FunctionName"], "Qualifier": made["Version"]}
        _provision(client, found, properties)
        arn = made["FunctionArn"]
        return cls(arn, found, {"FunctionArn": arn, "Version": made["Version"]})

    def _change(self, client, properties):
        _provision(client, self.found, properties)

    def _remove(self, client):
        client.delete_function(**self.found)


class StackAlias(Called, CloudFormationModel):
    """AWS::Lambda::Alias; Ref gives its ARN."""

    TYPE, ATTRIBUTES = "AWS::Lambda::Alias", ("AliasArn",)

    @classmethod
    def _make(cls, client, properties):
        arn = call(client, "create_alias", _with_weights(properties))["AliasArn"]
        made = cls(
            arn, {name: properties[name] for name in ("FunctionName", "Name")}, {"AliasArn": arn}
        )
        with made._whole(client):
            made._provision(client, properties)
        return made

    def _change(self, client, properties):
        given = {"Description": "", "RoutingConfig": {}, **_with_weights(properties)}
        call(client, "update_alias", given)
        self._provision(client, properties)

    def _provision(self, client: Any, properties: Mapping[str, Any]) -> None:
        found = {"FunctionName": self.found["FunctionName"], "Qualifier": self.found["Name"]}
        _provision(client, found, properties)

    def _remove(self, client):
        client.delete_alias(**self.found)


def _with_weights(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Weights are a list in a template and a map in the API."""
    weights = (properties.get("RoutingConfig") or {}).get("AdditionalVersionWeights")
    if not weights:
        return dict(properties)
    by_version = {each["FunctionVersion"]: each["FunctionWeight"] for each in weights}
    return {**properties, "RoutingConfig": {"AdditionalVersionWeights": by_version}}


class StackFunctionUrl(Called, CloudFormationModel):
    """AWS::Lambda::Url; Ref gives the function's ARN."""

    TYPE, ATTRIBUTES = "AWS::Lambda::Url", ("FunctionArn", "FunctionUrl")
    DEFAULTS: Mapping[str, Any] = {"Cors": {}, "InvokeMode": "BUFFERED"}

    @classmethod
    def _make(cls, client, properties):
        given = {**properties, "FunctionName": properties["TargetFunctionArn"]}
        made = call(client, "create_function_url_config", given)
        found = {"FunctionName": properties["TargetFunctionArn"]}
        if properties.get("Qualifier"):
            found["Qualifier"] = properties["Qualifier"]
        return cls(made["FunctionArn"], found, {name: made[name] for name in cls.ATTRIBUTES})

    def _change(self, client, properties):
        call(client, "update_function_url_config", {**self.DEFAULTS, **properties, **self.found})

    def _remove(self, client):
        client.delete_function_url_config(**self.found)


class StackEventInvokeConfig(Called, CloudFormationModel):
    """AWS::Lambda::EventInvokeConfig."""

    TYPE = "AWS::Lambda::EventInvokeConfig"

    @classmethod
    def _make(cls, client, properties):
        found = {name: properties[name] for name in ("FunctionName", "Qualifier")}
        made = cls("|".join(found.values()), found, {})
        made._change(client, properties)
        return made

    def _change(self, client, properties):
        call(client, "put_function_event_invoke_config", properties)

    def _remove(self, client):
        client.delete_function_event_invoke_config(**self.found)


class StackSubscription(Called, CloudFormationModel):
    """AWS::SNS::Subscription; Ref gives its ARN."""

    TYPE, ATTRIBUTES = "AWS::SNS::Subscription", ("Arn",)
    # What may be given, and what an attribute is set to that a template says no more; the scope is set
    # before the policy that is read by it.
    SETTINGS: Mapping[str, str] = {
        "DeliveryPolicy": "", "FilterPolicyScope": "MessageAttributes", "FilterPolicy": "",
        "RawMessageDelivery": "false", "RedrivePolicy": "", "ReplayPolicy": "", "SubscriptionRoleArn": "",
    }  # fmt: skip

    @classmethod
    def _make(cls, client, properties):
        given = {
            **{name: properties[name] for name in ("TopicArn", "Protocol", "Endpoint")},
            "Attributes": {name: properties[name] for name in cls.SETTINGS if name in properties},
            "ReturnSubscriptionArn": True,
        }
        arn = call(client, "subscribe", given)["SubscriptionArn"]
        return cls(arn, {"SubscriptionArn": arn}, {"Arn": arn})

    def _change(self, client, properties):
        earlier = stack_names.earlier_properties()
        for name, default in self.SETTINGS.items():
            if properties.get(name) != earlier.get(name):
                value = service_calls.text(properties.get(name, default))
                client.set_subscription_attributes(
                    **self.found, AttributeName=name, AttributeValue=value
                )

    def _remove(self, client):
        client.unsubscribe(**self.found)


class StackQueuePolicy(Called, CloudFormationModel):
    """AWS::SQS::QueuePolicy."""

    TYPE = "AWS::SQS::QueuePolicy"

    @classmethod
    def _make(cls, client, properties):
        made = cls(properties["Queues"][0], {}, {})
        made.queues = []
        made._change(client, properties)
        return made

    def _change(self, client, properties):
        self._set(client, set(self.queues) - set(properties["Queues"]), "")
        self.queues = list(properties["Queues"])
        self._set(client, self.queues, service_calls.text(properties["PolicyDocument"]))

    def _set(self, client: Any, queues: Any, policy: str) -> None:
        for queue in queues:
            client.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})

    def _remove(self, client):
        self._set(client, self.queues, "")
