"""Resource types that moto makes anew where AWS changes them, made by their service's own operations.

AWS::SNS::Topic, AWS::DynamoDB::Table, AWS::SSM::Parameter, AWS::CloudWatch::Dashboard. Properties, return
values and what makes a replacement are those of CloudFormation's resource schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.core.common_models import CloudFormationModel

from . import service_calls
from .service_calls import call
from .stack_called_resources import Called


def _retag(client: Any, listing: str, arn: str, wanted: list[dict[str, str]] | None) -> None:
    """Give something exactly the tags of a template."""
    now = getattr(client, listing)(ResourceArn=arn)["Tags"]
    if now:
        client.untag_resource(ResourceArn=arn, TagKeys=[tag["Key"] for tag in now])
    if wanted:
        call(client, "tag_resource", {"ResourceArn": arn, "Tags": wanted})


class StackTopic(Called, CloudFormationModel):
    """AWS::SNS::Topic; Ref gives its ARN. An update keeps who has subscribed to it."""

    TYPE, NAME, ATTRIBUTES = "AWS::SNS::Topic", "TopicName", ("TopicArn", "TopicName")
    # What may change, and what an attribute is set to that a template says no more.
    SETTINGS: Mapping[str, str] = {
        "ArchivePolicy": "{}", "ContentBasedDeduplication": "false", "DisplayName": "",
        "KmsMasterKeyId": "", "SignatureVersion": "1", "TracingConfig": "PassThrough",
    }  # fmt: skip

    @classmethod
    def _make(cls, client, properties):
        attributes = {n: properties[n] for n in (*cls.SETTINGS, "FifoTopic") if n in properties}
        given = {"Name": properties["TopicName"], "Attributes": attributes}
        arn = call(client, "create_topic", {**given, "Tags": properties.get("Tags")})["TopicArn"]
        made = cls(arn, {"TopicArn": arn}, {"TopicArn": arn, "TopicName": properties["TopicName"]})
        made.given, made.subscriptions = properties, []
        with made._whole(client):
            made._subscribe(client, properties)
        return made

    def _change(self, client, properties):
        for name, default in self.SETTINGS.items():
            if properties.get(name) != self.given.get(name):
                value = service_calls.text(properties.get(name, default))
                client.set_topic_attributes(**self.found, AttributeName=name, AttributeValue=value)
        _retag(client, "list_tags_for_resource", self.id, properties.get("Tags"))
        if properties.get("Subscription") != self.given.get("Subscription"):
            for arn in self.subscriptions:
                client.unsubscribe(SubscriptionArn=arn)
            self._subscribe(client, properties)
        self.given = properties

    def _subscribe(self, client: Any, properties: Mapping[str, Any]) -> None:
        """Make the subscriptions that stand in the topic's own properties."""
        self.subscriptions = [
            call(client, "subscribe", {**self.found, **each, "ReturnSubscriptionArn": True})[
                "SubscriptionArn"
            ]
            for each in properties.get("Subscription") or []
        ]

    def _remove(self, client):
        client.delete_topic(**self.found)


class StackTable(Called, CloudFormationModel):
    """AWS::DynamoDB::Table; Ref gives its name. An update keeps what it holds."""

    TYPE, NAME, ATTRIBUTES = "AWS::DynamoDB::Table", "TableName", ("Arn", "StreamArn")
    # What may change, and what is set where a template says it no more.
    SETTINGS: Mapping[str, Any] = {
        "BillingMode": "PROVISIONED", "DeletionProtectionEnabled": False, "ProvisionedThroughput": None,
        "StreamSpecification": {"StreamEnabled": False},
    }  # fmt: skip

    @classmethod
    def _make(cls, client, properties):
        given = _of_operations(properties)
        call(client, "create_table", given)
        made = cls(given["TableName"], {"TableName": given["TableName"]}, {})
        made.given = {}
        with made._whole(client):
            made._read(client)
            made._set_extras(client, properties)
        made.given = properties
        return made

    def _read(self, client: Any) -> None:
        table = client.describe_table(**self.found)["Table"]
        self.attributes = {"Arn": table["TableArn"], "StreamArn": table.get("LatestStreamArn", "")}

    def _change(self, client, properties):
        now, then = _of_operations(properties), _of_operations(self.given)
        changed = {
            name: now.get(name, default)
            for name, default in self.SETTINGS.items()
            if now.get(name) != then.get(name)
        }
        if any(value is not None for value in changed.values()):
            call(client, "update_table", {**self.found, **changed})
        for update in _index_updates(now, then):
            attributes = now.get("AttributeDefinitions")
            given = {"AttributeDefinitions": attributes, "GlobalSecondaryIndexUpdates": [update]}
            call(client, "update_table", {**self.found, **given})
        self._read(client)
        _retag(client, "list_tags_of_resource", self.attributes["Arn"], properties.get("Tags"))
        self._set_extras(client, properties)
        self.given = properties

    def _set_extras(self, client: Any, properties: Mapping[str, Any]) -> None:
        """What CreateTable and UpdateTable don't take: expiry, and recovery to a point in time."""
        for name, operation, off in (
            ("TimeToLiveSpecification", "update_time_to_live", {"Enabled": False}),
            (
                "PointInTimeRecoverySpecification",
                "update_continuous_backups",
                {"PointInTimeRecoveryEnabled": False},
            ),
        ):
            wanted, now = properties.get(name), self.given.get(name)
            if wanted != now:
                call(client, operation, {**self.found, name: wanted or {**now, **off}})

    def _remove(self, client):
        client.delete_table(**self.found)


def _of_operations(properties: Mapping[str, Any]) -> dict[str, Any]:
    """In a template a stream that is described is enabled, and what enables encryption has another name."""
    stream, encryption = (
        properties.get(name) for name in ("StreamSpecification", "SSESpecification")
    )
    given = dict(properties)
    if stream:
        given["StreamSpecification"] = {"StreamEnabled": True, **stream}
    if encryption:
        given["SSESpecification"] = {"Enabled": encryption.get("SSEEnabled"), **encryption}
    return given


def _index_updates(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[dict[str, Any]]:
    """UpdateTable's changes of global indexes: one that has changed is made anew."""
    name = "GlobalSecondaryIndexes"
    wanted = {each["IndexName"]: each for each in now.get(name) or []}
    known = {each["IndexName"]: each for each in then.get(name) or []}
    gone = [n for n in known if wanted.get(n) != known[n]]
    new = [n for n in wanted if wanted[n] != known.get(n)]
    return [{"Delete": {"IndexName": n}} for n in gone] + [{"Create": wanted[n]} for n in new]


class StackParameter(Called, CloudFormationModel):
    """AWS::SSM::Parameter; Ref gives its name. An update gives it another version."""

    TYPE, NAME, ATTRIBUTES = "AWS::SSM::Parameter", "Name", ("Type", "Value")

    @classmethod
    def _make(cls, client, properties):
        made = cls(properties["Name"], {"Name": properties["Name"]}, {})
        made._put(client, {**properties, "Tags": _tag_list(properties)})
        return made

    def _put(self, client: Any, given: Mapping[str, Any]) -> None:
        call(client, "put_parameter", given)
        self.attributes = {name: service_calls.text(given[name]) for name in self.ATTRIBUTES}

    def _change(self, client, properties):
        self._put(client, {**properties, **self.found, "Overwrite": True, "Tags": None})
        place = {"ResourceType": "Parameter", "ResourceId": self.id}
        now = client.list_tags_for_resource(**place)["TagList"]
        if now:
            client.remove_tags_from_resource(**place, TagKeys=[tag["Key"] for tag in now])
        client.add_tags_to_resource(**place, Tags=_tag_list(properties))

    def _remove(self, client):
        client.delete_parameter(**self.found)


def _tag_list(properties: Mapping[str, Any]) -> list[dict[str, str]]:
    """This type's tags are a map."""
    tags = properties.get("Tags") or {}
    return [{"Key": key, "Value": service_calls.text(value)} for key, value in tags.items()]


class StackDashboard(Called, CloudFormationModel):
    """AWS::CloudWatch::Dashboard; Ref gives its name."""

    TYPE, NAME = "AWS::CloudWatch::Dashboard", "DashboardName"

    @classmethod
    def _make(cls, client, properties):
        made = cls(properties["DashboardName"], {"DashboardName": properties["DashboardName"]}, {})
        made._change(client, properties)
        return made

    def _change(self, client, properties):
        call(client, "put_dashboard", {**properties, **self.found})

    def _remove(self, client):
        client.delete_dashboards(DashboardNames=[self.id])
