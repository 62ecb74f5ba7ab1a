"""What REST APIs share in a stack: API keys, usage plans, domain names and their mappings, the account.

As in stack_rest_resources.py.
"""

from __future__ import annotations

from moto.core.common_models import CloudFormationModel

from .stack_resources import tags_dict
from .stack_rest_resources import Kept, StackPart, call


class StackApiKey(Kept, CloudFormationModel):
    """AWS::ApiGateway::ApiKey."""

    KIND, ATTRIBUTES, KEPT_ATTRIBUTES = "ApiKey", ("APIKeyId",), ("value", "name", "created_date")

    @classmethod
    def _make(cls, backend, properties, name):
        return cls(call(backend, "create_api_key", {"Name": name, **properties})["id"], {})

    def _kept(self, backend):
        return backend.keys

    def _fresh(self, properties):
        return {name: value for name, value in properties.items() if name != "Value"}


class StackUsagePlan(Kept, CloudFormationModel):
    """AWS::ApiGateway::UsagePlan."""

    KIND, ATTRIBUTES = "UsagePlan", ("Id",)

    @classmethod
    def _make(cls, backend, properties, name):
        given = {**properties, "Name": properties.get("UsagePlanName") or name}
        return cls(call(backend, "create_usage_plan", given)["id"], {})

    def _kept(self, backend):
        return backend.usage_plans

    def _fresh(self, properties):
        return properties


class StackUsagePlanKey(StackPart, CloudFormationModel):
    """AWS::ApiGateway::UsagePlanKey."""

    KIND, ATTRIBUTES = "UsagePlanKey", ("Id",)

    @classmethod
    def _make(cls, backend, properties, name):
        call(backend, "create_usage_plan_key", properties)
        place = {key: properties[key] for key in ("KeyId", "UsagePlanId")}
        return cls(":".join(place.values()), place)

    def _remove(self, backend):
        keys = backend.usage_plan_keys.get(self.place["UsagePlanId"], {})
        keys.pop(self.place["KeyId"], None)


class StackAccount(StackPart, CloudFormationModel):
    """AWS::ApiGateway::Account: the role for logs. It stays when the resource goes."""

    KIND, ATTRIBUTES = "Account", ("Id",)

    @classmethod
    def _make(cls, backend, properties, name):
        made = cls(name, {})
        made._change(backend, properties)
        return made

    def _change(self, backend, properties):
        arn = properties.get("CloudWatchRoleArn")
        operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": arn or ""}
        call(backend, "update_account", {"PatchOperations": [operation]})

    def _remove(self, backend):
        pass


class StackDomainName(StackPart, CloudFormationModel):
    """AWS::ApiGateway::DomainName; Ref gives the name."""

    KIND = "DomainName"
    ATTRIBUTES = (
        "DistributionDomainName", "DistributionHostedZoneId", "RegionalDomainName",
        "RegionalHostedZoneId", "DomainNameArn",
    )  # fmt: skip

    @classmethod
    def _make(cls, backend, properties, name):
        made = call(backend, "create_domain_name", properties)
        attributes = {each: made.get(each[:1].lower() + each[1:]) for each in cls.ATTRIBUTES}
        name = made["domainName"]
        arn = f"arn:aws:apigateway:{backend.region_name}::/domainnames/{name}"
        return cls(name, {}, {**attributes, "DomainNameArn": arn})

    def _change(self, backend, properties):
        domain = backend.get_domain_name(self.id)
        domain.certificate_arn = properties.get("CertificateArn")
        domain.regional_certificate_arn = properties.get("RegionalCertificateArn")
        domain.security_policy = properties.get("SecurityPolicy")
        domain.tags = tags_dict(properties.get("Tags"))

    def _remove(self, backend):
        if self.id in backend.domain_names:
            backend.delete_domain_name(self.id)


class StackBasePathMapping(StackPart, CloudFormationModel):
    """AWS::ApiGateway::BasePathMapping."""

    KIND = "BasePathMapping"

    @classmethod
    def _make(cls, backend, properties, name):
        made = call(backend, "create_base_path_mapping", properties)
        place = {"DomainName": properties["DomainName"], "BasePath": made["basePath"]}
        return cls("|".join(place.values()), place)

    def _change(self, backend, properties):
        mapping = backend.get_base_path_mapping(*self.place.values())
        mapping.rest_api_id = properties.get("RestApiId", mapping.rest_api_id)
        mapping.stage = properties.get("Stage")

    def _remove(self, backend):
        backend.base_path_mappings.get(self.place["DomainName"], {}).pop(
            self.place["BasePath"], None
        )
