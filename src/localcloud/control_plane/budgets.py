"""AWS Budgets: the operations that moto lacks, and the resource type AWS::Budgets::Budget.

A budget is kept and told; nothing is counted against it, and nobody is written to.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from moto.budgets.exceptions import NotFoundException
from moto.budgets.models import Budget
from moto.budgets.responses import BudgetsResponse
from moto.core.common_models import CloudFormationModel
from moto.utilities.utils import get_partition

from .service_calls import call
from .stack_called_resources import Called


class _Operations:
    """Put into moto's response class, which finds an operation by its name in snake case."""

    def update_budget(self):
        account, wanted = self._get_param("AccountId"), self._get_param("NewBudget")
        found = _find(self, account, wanted["BudgetName"], "update")
        given = {"TimePeriod": found.budget["TimePeriod"], **wanted}
        found.budget = Budget(given, []).budget
        return json.dumps({})

    def tag_resource(self):
        found = _by_arn(self)
        found.tags = _tags(found) | _as_dict(self._get_param("ResourceTags"))
        return json.dumps({})

    def untag_resource(self):
        found, gone = _by_arn(self), self._get_param("ResourceTagKeys")
        found.tags = {key: value for key, value in _tags(found).items() if key not in gone}
        return json.dumps({})

    def list_tags_for_resource(self):
        tags = _tags(_by_arn(self)).items()
        return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tags]})


def _find(response: BudgetsResponse, account: str, name: str, verb: str) -> Budget:
    found = response.backend.budgets[account].get(name)
    if found is None:
        words = f"Unable to {verb} budget: {name} - the budget doesn't exist."
        raise NotFoundException(words)
    return found


def _by_arn(response: BudgetsResponse) -> Budget:
    arn = response._get_param("ResourceARN")
    return _find(response, arn.split(":")[4], arn.partition("budget/")[2], "get")


def _tags(budget: Budget) -> dict[str, str]:
    return getattr(budget, "tags", {})


def _as_dict(tags: list[dict[str, str]] | None) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in tags or []}


def install() -> None:
    """Complete moto's AWS Budgets. May be called more than once."""
    moto_create = BudgetsResponse.create_budget
    if hasattr(moto_create, "__wrapped__"):
        return

    @functools.wraps(moto_create)
    def create_budget(self):
        answer = moto_create(self)
        name = self._get_param("Budget")["BudgetName"]
        made = _find(self, self._get_param("AccountId"), name, "get")
        made.tags = _as_dict(self._get_param("ResourceTags"))
        return answer

    BudgetsResponse.create_budget = create_budget
    for name, operation in vars(_Operations).items():
        if not name.startswith("__"):
            setattr(BudgetsResponse, name, operation)


class StackBudget(Called, CloudFormationModel):
    """AWS::Budgets::Budget; Ref gives its name, which CloudFormation makes up where none is given."""

    TYPE = "AWS::Budgets::Budget"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        name = properties["Budget"].get("BudgetName") or resource_name
        found = {"AccountId": account_id, "BudgetName": name}
        made = cls(name, found, {})
        made.arn = f"arn:{get_partition(region_name)}:budgets::{account_id}:budget/{name}"
        client = cls._client(region_name)
        call(client, "create_budget", {**properties, **found, "Budget": made._named(properties)})
        return made

    def _named(self, properties: dict[str, Any]) -> dict[str, Any]:
        return {**properties["Budget"], "BudgetName": self.id}

    def _change(self, client, properties):
        new = {**self.found, "NewBudget": self._named(properties)}
        call(client, "update_budget", new)
        tags = client.list_tags_for_resource(ResourceARN=self.arn)["ResourceTags"]
        client.untag_resource(ResourceARN=self.arn, ResourceTagKeys=[tag["Key"] for tag in tags])
        call(client, "tag_resource", {"ResourceARN": self.arn, "ResourceTags": [], **properties})

    def _remove(self, client):
        client.delete_budget(**self.found)
