"""AWS Budgets: kept, changed, tagged and told, by their own API and from templates."""

import pytest
from botocore.exceptions import ClientError

from stacks import create, delete, outputs, reason, update

ACCOUNT = "000000000000"
NOTIFICATION = {
    "NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80.0, "ThresholdType": "PERCENTAGE",
}  # fmt: skip
SUBSCRIBERS = [{"SubscriptionType": "EMAIL", "Address": "teacher@example.com"}]


@pytest.fixture(scope="module")
def budgets(local_cloud):
    return local_cloud.client("budgets")


def budget(name, dollars):
    limit = {"Amount": str(dollars), "Unit": "USD"}
    return {
        "BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit
    }  # fmt: skip


def amounts(budgets):
    found = budgets.describe_budgets(AccountId=ACCOUNT)["Budgets"]
    return {each["BudgetName"]: float(each["BudgetLimit"]["Amount"]) for each in found}


def tags(budgets, name):
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/{name}"
    found = budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]
    return {tag["Key"]: tag["Value"] for tag in found if not tag["Key"].startswith("aws:")}


def test_a_budget_is_changed_and_tagged(budgets):
    budgets.create_budget(
        AccountId=ACCOUNT, Budget=budget("own", 5), ResourceTags=[{"Key": "team", "Value": "blue"}]
    )
    budgets.update_budget(AccountId=ACCOUNT, NewBudget=budget("own", 6))
    assert amounts(budgets) == {"own": 6}
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/own"
    budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "week", "Value": "3"}])
    assert tags(budgets, "own") == {"team": "blue", "week": "3"}
    budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["team"])
    assert tags(budgets, "own") == {"week": "3"}
    budgets.delete_budget(AccountId=ACCOUNT, BudgetName="own")
    with pytest.raises(budgets.exceptions.NotFoundException):
        budgets.update_budget(AccountId=ACCOUNT, NewBudget=budget("own", 7))


def template(dollars, address="teacher@example.com", learner="ana", **named):
    """A budget without a name of its own, unless it is given one."""
    wanted = {**budget("", dollars), **named}
    if not named:
        del wanted["BudgetName"]
    subscribers = [{"SubscriptionType": "EMAIL", "Address": address}]
    notification = {"Notification": NOTIFICATION, "Subscribers": subscribers}
    properties = {
        "Budget": wanted,
        "NotificationsWithSubscribers": [notification],
        "ResourceTags": [{"Key": "learner", "Value": learner}],
    }
    return {
        "Resources": {"Budget": {"Type": "AWS::Budgets::Budget", "Properties": properties}},
        "Outputs": {"Name": {"Value": {"Ref": "Budget"}}},
    }


def test_a_stacks_budget_is_changed_in_place_and_for_other_notifications_anew(cfn, budgets):
    name = outputs(create(cfn, "spending", template(10)))["Name"]
    assert name.startswith("spending-Budget-") and amounts(budgets) == {name: 10}
    told = budgets.describe_notifications_for_budget(AccountId=ACCOUNT, BudgetName=name)
    assert told["Notifications"] == [NOTIFICATION]
    assert tags(budgets, name) == {"learner": "ana"}
    changed = outputs(update(cfn, "spending", template(20, learner="bo")))["Name"]
    assert changed == name and amounts(budgets) == {name: 20}
    assert tags(budgets, name) == {"learner": "bo"}
    anew = outputs(update(cfn, "spending", template(20, "other@example.com")))["Name"]
    assert anew != name and amounts(budgets) == {anew: 20}
    delete(cfn, "spending")
    assert amounts(budgets) == {}


def test_what_budgets_refuse_a_template_is_refused(cfn, budgets):
    budgets.create_budget(AccountId=ACCOUNT, Budget=budget("taken", 5))
    failed = create(cfn, "twice", template(10, BudgetName="taken"))
    assert failed["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "already exists" in reason(cfn, "twice", "Budget", "CREATE_FAILED")
    assert amounts(budgets) == {"taken": 5}
    delete(cfn, "twice")
    create(cfn, "named", template(10, BudgetName="first"))
    assert update(cfn, "named", template(10, BudgetName="second"))["StackStatus"] == (
        "UPDATE_ROLLBACK_COMPLETE"
    )
    assert "another logical ID" in reason(cfn, "named", "Budget", "UPDATE_FAILED")
    assert amounts(budgets) == {"taken": 5, "first": 10}
    delete(cfn, "named")


def test_whom_a_budget_writes_to_is_not_told(budgets):
    with pytest.raises(ClientError, match="localcloud has no operation"):
        budgets.describe_subscribers_for_notification(
            AccountId=ACCOUNT, BudgetName="taken", Notification=NOTIFICATION
        )
