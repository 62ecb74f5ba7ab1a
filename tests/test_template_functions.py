"""Intrinsic functions in a template: refused with wrong arguments, and what they come out as."""

import json
import re

import pytest
from botocore.exceptions import ClientError

from stacks import create, described, outputs, parameters, reason, update

MAPPINGS = {"Sizes": {"small": {"days": 7, "names": ["a", "b"]}, 30: {"days": 30}}}
SELECT = "Template error: Fn::Select requires a list argument with two elements"
FIND = (
    "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the "
    "attribute for return value"
)
JOIN = "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and"
SPLIT = "Template error: every Fn::Split object requires two parameters"
AND = "every Fn::And object requires a list of at least 2 and at most 10 boolean parameters."


def template(value, **sections):
    """A parameter whose value is `value`, which is put out."""
    made = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}
    return {
        "Parameters": {
            "Key": {"Type": "String", "Default": "small"},
            "Words": {"Type": "CommaDelimitedList", "Default": "x,y"},
        },
        "Mappings": MAPPINGS,
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"Made": made},
        "Outputs": {"Value": {"Value": {"Fn::GetAtt": ["Made", "Value"]}}},
    } | sections


BAD = [
    ({"Ref": ["Key"]}, "Template error: All References must be of type string"),
    (
        {"Fn::FindInMap": ["Shapes", "small", "days"]},
        "Template error: Mapping named 'Shapes' is not present in the 'Mappings' section of template.",
    ),
    ({"Fn::FindInMap": ["Sizes", "small"]}, FIND),
    ({"Fn::FindInMap": ["Sizes", {"Fn::Sub": "${Key}"}, "days"]}, FIND),
    ({"Fn::Select": ["0"]}, SELECT),
    ({"Fn::Select": ["0", "a,b"]}, SELECT),
    ({"Fn::Join": ["-"]}, JOIN),
    ({"Fn::Join": [{"Ref": "Key"}, ["a"]]}, JOIN),
    ({"Fn::Split": ["-"]}, SPLIT),
    ({"Fn::Split": ["", "a-b"]}, SPLIT),
    ({"Fn::If": ["Never", "a"]}, "Template error: Fn::If requires a list argument"),
    ({"Fn::If": ["Ever", "a", "b"]}, "unresolved condition dependency Ever in Fn::If"),
    ({"Fn::Base64": ["a"]}, "Template error: every Fn::Base64 object must have a String-typed"),
    ({"Fn::Sub": ["${a}"]}, "Template error: One or more Fn::Sub intrinsic functions don't"),
    ({"Fn::GetAtt": "Made"}, "Template error: every Fn::GetAtt object requires two non-empty"),
    ({"Fn::Ref": "Key"}, "Template Error: Encountered unsupported function: Fn::Ref Supported"),
    ({"Fn::Cidr": ["10.0.0.0/16", 4, 8]}, "localcloud doesn't have Fn::Cidr"),
]
BAD_SECTIONS = [
    ({"Conditions": {"C": {"Fn::And": [{"Condition": "Never"}]}}}, AND),
    ({"Conditions": {"C": {"Fn::Not": "Never"}}}, "Fn::Not requires a list argument"),
    ({"Conditions": {"C": {"Fn::Equals": ["a"]}}}, "every Fn::Equals object requires a list of 2"),
    (
        {"Mappings": {"M": {"A": "a"}}},
        "Template format error: Every Mappings member A must be a map",
    ),
    (
        {"Mappings": {"M": {"A": {"B": {"Ref": "Key"}}}}},
        "Template format error: Every Mappings attribute must be a String or a List.",
    ),
]


@pytest.mark.parametrize(
    ("body", "words"),
    [(template(value), words) for value, words in BAD]
    + [(template("a", **sections), words) for sections, words in BAD_SECTIONS],
)
def test_wrong_arguments_are_refused(cfn, body, words):
    for call, options in (
        (cfn.validate_template, {}),
        (cfn.create_stack, {"StackName": "bad"}),
        (
            cfn.create_change_set,
            {"StackName": "b", "ChangeSetName": "c", "ChangeSetType": "CREATE"},
        ),
    ):
        with pytest.raises(ClientError, match=re.escape(words)) as caught:
            call(TemplateBody=json.dumps(body), **options)
        assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert cfn.describe_stacks()["Stacks"] == []


LOOKUP = {"Fn::FindInMap": ["Sizes", {"Ref": "Key"}, "days"]}
HUGE = "Template error: Unable to get mapping for Sizes::huge::days"


@pytest.mark.usefixtures("no_stack_left")
@pytest.mark.parametrize("looks_up", ["property", "condition", "output"])
def test_a_key_that_a_mapping_does_not_have_is_refused(cfn, looks_up):
    bad = {
        "property": template(LOOKUP),
        "condition": template("a", Conditions={"C": {"Fn::Equals": [LOOKUP, "7"]}}),
        "output": template("a", Outputs={"O": {"Value": LOOKUP}}),
    }[looks_up]
    body, huge = json.dumps(bad), parameters({"Key": "huge"})
    with pytest.raises(ClientError, match=HUGE) as caught:
        cfn.create_stack(StackName="looks", TemplateBody=body, Parameters=huge)
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    create(cfn, "looks", bad)
    with pytest.raises(ClientError, match=HUGE):
        cfn.update_stack(StackName="looks", TemplateBody=body, Parameters=huge)
    with pytest.raises(ClientError, match=HUGE):
        options = {"StackName": "looks", "ChangeSetName": "c"}
        cfn.create_change_set(TemplateBody=body, Parameters=huge, **options)
    assert described(cfn, "looks")["StackStatus"] == "CREATE_COMPLETE"


@pytest.mark.usefixtures("no_stack_left")
def test_what_a_condition_leaves_out_looks_nothing_up(cfn):
    choice = {"Fn::If": ["Never", {"Fn::FindInMap": ["Sizes", "huge", "days"]}, "1"]}
    assert outputs(create(cfn, "choice", template(choice))) == {"Value": "1"}


GOOD = [
    (LOOKUP, "7"),
    ({"Fn::FindInMap": ["Sizes", "30", "days"]}, "30"),
    ({"Fn::FindInMap": [{"Ref": "Map"}, "small", "days"]}, "7"),
    ({"Fn::Select": [{"Ref": "Index"}, {"Ref": "Words"}]}, "y"),
    ({"Fn::Join": ["+", {"Fn::FindInMap": ["Sizes", "small", "names"]}]}, "a+b"),
    ({"Fn::Join": ["+", ["a", {"Ref": "AWS::NoValue"}, 1]]}, "a+1"),
    ({"Fn::Select": ["2", {"Fn::Split": ["-", "a-b-c"]}]}, "c"),
    ({"Fn::Select": ["0", {"Fn::GetAZs": {"Ref": "AWS::Region"}}]}, "us-east-1a"),
    ({"Fn::Select": ["1", {"Fn::GetAZs": ""}]}, "us-east-1b"),
    ({"Fn::Base64": {"Fn::Sub": "${Key}"}}, "c21hbGw="),
]


@pytest.mark.usefixtures("no_stack_left")
def test_what_they_come_out_as(cfn):
    body = template("a", Outputs={f"O{n}": {"Value": value} for n, (value, _) in enumerate(GOOD)})
    body["Parameters"] |= {
        "Map": {"Type": "String", "Default": "Sizes"}, "Index": {"Type": "Number", "Default": 1},
    }  # fmt: skip
    found = outputs(create(cfn, "good", body))
    assert found == {f"O{n}": expected for n, (_, expected) in enumerate(GOOD)}


@pytest.mark.usefixtures("no_stack_left")
def test_what_only_the_operation_can_tell_is_in_the_event(cfn):
    stack = create(cfn, "late", template({"Fn::Select": [-1, {"Ref": "Words"}]}))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    words = "Template error: Fn::Select  cannot select nonexistent value at index -1"
    assert reason(cfn, "late", "Made", "CREATE_FAILED") == words


@pytest.mark.usefixtures("no_stack_left")
def test_an_update_looks_up_in_its_own_mappings(cfn):
    create(cfn, "own", template(LOOKUP))
    now = update(cfn, "own", template(LOOKUP, Mappings={"Sizes": {"small": {"days": 8}}}))
    assert outputs(now) == {"Value": "8"}
