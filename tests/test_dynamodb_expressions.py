"""DynamoDB refuses expressions beyond its limits at once, and takes those that just keep them."""

import pytest

from people import refusal

KEY = {"id": {"S": "a"}}
SIZE = "Expression size has exceeded the maximum allowed size; expression size: "


@pytest.fixture(scope="module")
def table(local_cloud):
    """A client of a cloud with a table of one item."""
    client = local_cloud.client("dynamodb")
    client.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.put_item(TableName="t", Item={**KEY, "n": {"N": "1"}})
    return client


@pytest.mark.parametrize("count", [5_000, 100_000])
def test_a_hundred_thousand_parentheses(table, count):
    expression = "(" * count + "attribute_exists(id)" + ")" * count
    size = 2 * count + len("attribute_exists(id)")
    refused = "ValidationException", f"Invalid FilterExpression: {SIZE}{size}", 400
    assert refusal(table.scan, TableName="t", FilterExpression=expression) == refused


@pytest.mark.parametrize(
    "name", ["ConditionExpression", "UpdateExpression", "ProjectionExpression"]
)
def test_expressions_of_more_than_4_kb(table, name):
    call = table.get_item if name == "ProjectionExpression" else table.update_item
    refused = "ValidationException", f"Invalid {name}: {SIZE}4097", 400
    assert refusal(call, TableName="t", Key=KEY, **{name: "n" * 4097}) == refused


def test_a_transaction_s_parts_are_looked_at_too(table):
    check = {"TableName": "t", "Key": KEY, "ConditionExpression": "x" * 5000}
    code, message, _ = refusal(
        table.transact_write_items, TransactItems=[{"ConditionCheck": check}]
    )
    assert (code, message) == ("ValidationException", f"Invalid ConditionExpression: {SIZE}5000")


def condition(operators: int) -> dict:
    """A filter with so many operators, an odd number: comparisons, and what joins them."""
    parts = ["n=:v"] * ((operators + 1) // 2)
    return {"FilterExpression": " OR ".join(parts), "ExpressionAttributeValues": {":v": {"N": "1"}}}


def test_300_operators_are_too_few_to_be_refused(table):
    assert table.scan(TableName="t", **condition(299))["Count"] == 1
    between = {":v": {"N": "0"}, ":w": {"N": "2"}}
    both = " OR ".join(["n BETWEEN :v AND :w"] * 140)
    asked = {"FilterExpression": both, "ExpressionAttributeValues": between}
    assert table.scan(TableName="t", **asked)["Count"] == 1


def test_more_are_too_many(table):
    message = (
        "Invalid FilterExpression: The expression contains too many operators; operator count: 301"
    )
    assert refusal(table.scan, TableName="t", **condition(301)) == (
        "ValidationException",
        message,
        400,
    )


def test_what_is_stored_has_no_such_limit(table):
    """Neither a long value nor an attribute of such a name is an expression."""
    long = {"S": "(" * 10_000}
    table.put_item(TableName="t", Item={"id": {"S": "b"}, "FilterExpression": long})
    kept = table.get_item(TableName="t", Key={"id": {"S": "b"}}, ConsistentRead=True)["Item"]
    assert kept["FilterExpression"] == long
