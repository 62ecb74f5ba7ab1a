"""Tags of what Bedrock and Bedrock Agents keep: given at creation, added, listed, taken away."""

import pytest
from botocore.exceptions import ClientError

from knowledge import client, service_role

GUARDRAIL = {
    "name": "tagged",
    "blockedInputMessaging": "No.",
    "blockedOutputsMessaging": "No.",
    "wordPolicyConfig": {"wordsConfig": [{"text": "secret"}]},
}


def test_tags_of_a_guardrail(local_cloud):
    bedrock = client(local_cloud, "bedrock")
    arn = bedrock.create_guardrail(**GUARDRAIL, tags=[{"key": "a", "value": "1"}])["guardrailArn"]
    bedrock.tag_resource(resourceARN=arn, tags=[{"key": "b", "value": "2"}])
    bedrock.untag_resource(resourceARN=arn, tagKeys=["a"])
    assert bedrock.list_tags_for_resource(resourceARN=arn)["tags"] == [{"key": "b", "value": "2"}]
    bedrock.delete_guardrail(guardrailIdentifier=arn)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        bedrock.list_tags_for_resource(resourceARN=arn)


def test_tags_of_an_agent_and_its_alias(local_cloud):
    agents = client(local_cloud, "bedrock-agent")
    role = service_role(
        local_cloud, "tagged-agent", {"Action": "bedrock:InvokeModel", "Resource": "*"}
    )
    agent = agents.create_agent(
        agentName="tagged", agentResourceRoleArn=role, foundationModel="amazon.nova-micro-v1:0",
        instruction="You answer all questions of our customers kindly.", tags={"a": "1"},
    )["agent"]  # fmt: skip
    agents.prepare_agent(agentId=agent["agentId"])
    alias = agents.create_agent_alias(
        agentId=agent["agentId"], agentAliasName="live", tags={"of": "alias"}
    )["agentAlias"]
    agents.tag_resource(resourceArn=agent["agentArn"], tags={"b": "2"})
    agents.untag_resource(resourceArn=agent["agentArn"], tagKeys=["a"])
    listed = agents.list_tags_for_resource
    assert listed(resourceArn=agent["agentArn"])["tags"] == {"b": "2"}
    assert listed(resourceArn=alias["agentAliasArn"])["tags"] == {"of": "alias"}
    described = agents.get_agent_alias(agentId=agent["agentId"], agentAliasId=alias["agentAliasId"])
    assert "tags" not in described["agentAlias"]
    agents.delete_agent(agentId=agent["agentId"], skipResourceInUseCheck=True)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        listed(resourceArn=agent["agentArn"])
