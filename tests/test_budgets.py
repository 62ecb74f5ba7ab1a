"""AWS Budgets: kept, changed, tagged and told, by their own API and from templates."""

import json

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


def test_a_renamed_budget_is_another_one(cfn, budgets):
    create(cfn, "named", template(10, BudgetName="first"))
    before = amounts(budgets)
    renamed = outputs(update(cfn, "named", template(10, BudgetName="second")))["Name"]
    assert renamed == "second"
    assert before.pop("first") == 10
    assert amounts(budgets) == {**before, "second": 10}
    assert tags(budgets, "second") == {"learner": "ana"}
    unnamed = outputs(update(cfn, "named", template(10)))["Name"]
    assert unnamed.startswith("named-Budget-") and amounts(budgets) == {**before, unnamed: 10}
    delete(cfn, "named")
    assert amounts(budgets) == before


def test_a_change_set_tells_of_a_budgets_new_name(cfn, budgets):
    create(cfn, "told", template(10, BudgetName="now"))
    for dollars, name, replacement in ((20, "now", "False"), (10, "then", "True")):
        wanted = json.dumps(template(dollars, BudgetName=name))
        given = {"StackName": "told", "ChangeSetName": f"to-{name}"}
        cfn.create_change_set(**given, TemplateBody=wanted)
        cfn.get_waiter("change_set_create_complete").wait(**given, WaiterConfig={"Delay": 0.1})
        (change,) = cfn.describe_change_set(**given)["Changes"]
        assert change["ResourceChange"]["Replacement"] == replacement
    delete(cfn, "told")


def test_whom_a_budget_writes_to_is_not_told(budgets):
    with pytest.raises(ClientError, match="localcloud has no operation"):
        budgets.describe_subscribers_for_notification(
            AccountId=ACCOUNT, BudgetName="taken", Notification=NOTIFICATION
        )
