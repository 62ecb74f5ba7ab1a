"""How the tests bring an agent into a cloud, through boto3 alone."""

import contextlib
import uuid

from deployment import deploy
from knowledge import ANSWERS_WITH, client, service_role

INSTRUCTION = "You help the customers of a small shop with their orders and answer kindly."
ORDERS = """
import json

def handler(event, context):
    print(json.dumps(event))
    given = {each["name"]: each["value"] for each in event["parameters"]}
    if given.get("orderId") == "0-CRASH":
        raise RuntimeError("the database is gone")
    text = f"Order {given['orderId']} was sent on Monday."
    if given["orderId"] == "0-ODD":
        return {"hello": "world"}
    return {
        "messageVersion": "1.0",
        "response": {
            "actionGroup": event["actionGroup"],
            "function": event["function"],
            "functionResponse": {"responseBody": {"TEXT": {"body": text}}},
        },
        "sessionAttributes": {"seen": json.dumps(event)},
    }
"""
STATUS = {
    "functions": [
        {
            "name": "order_status",
            "description": "Look up the status of an order by its number.",
            "parameters": {
                "orderId": {"type": "string", "description": "the order's number", "required": True}
            },
        }
    ]
}


class Agent:
    """An agent that is being made."""

    def __init__(self, cloud, *statements):
        self.cloud = cloud
        self.agents = client(cloud, "bedrock-agent")
        self.runtime = client(cloud, "bedrock-agent-runtime")
        self.name = f"agent-{uuid.uuid4().hex[:12]}"
        allowed = statements or ({"Action": "bedrock:InvokeModel", "Resource": "*"},)
        self.role = service_role(cloud, self.name, *allowed)
        made = self.agents.create_agent(
            agentName=self.name,
            agentResourceRoleArn=self.role,
            foundationModel=ANSWERS_WITH.rpartition("/")[2],
            instruction=INSTRUCTION,
        )["agent"]
        self.id, self.arn = made["agentId"], made["agentArn"]

    def group(self, executor, **schema):
        """Add an action group and prepare the agent."""
        self.agents.create_agent_action_group(
            agentId=self.id, agentVersion="DRAFT", actionGroupName="orders",
            actionGroupExecutor=executor, **schema,
        )  # fmt: skip
        self.prepare()
        return self

    def prepare(self):
        """PrepareAgent."""
        self.agents.prepare_agent(agentId=self.id)

    def ask(self, text=None, alias="TSTALIASID", session="session", **more):
        """The events of one turn."""
        given = {"inputText": text} if text else {}
        answer = self.runtime.invoke_agent(
            agentId=self.id, agentAliasId=alias, sessionId=session, **given, **more
        )
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-localcloud-answered-by"].startswith("a router that picks actions")
        with contextlib.closing(answer["completion"]) as events:
            return list(events)


def answer_text(events):
    """What a turn's events say, in one piece."""
    return "".join(event["chunk"]["bytes"].decode() for event in events if "chunk" in event)


def deploy_orders(cloud):
    """A function that knows orders; its ARN."""
    arn = deploy(cloud, "orders", ORDERS)["FunctionArn"]
    cloud.client("lambda").get_waiter("function_active_v2").wait(FunctionName="orders")
    return arn


def order_agent(cloud, function_arn):
    """An agent whose action group is the function, which lets it in."""
    agent = Agent(cloud).group({"lambda": function_arn}, functionSchema=STATUS)
    cloud.client("lambda").add_permission(
        FunctionName="orders", StatementId=f"bedrock-{agent.id}", Action="lambda:InvokeFunction",
        Principal="bedrock.amazonaws.com", SourceArn=agent.arn,
    )  # fmt: skip
    return agent
