"""IAM users with keys and policies of their own, and what they are refused."""

import boto3
import pytest
from botocore.exceptions import ClientError

from deployment import policy_of

ACCOUNT = "000000000000"


def client_of(cloud, service: str, credentials: dict, **options):
    """A client with the given AccessKeyId, SecretAccessKey and perhaps SessionToken."""
    session = boto3.Session(
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials.get("SessionToken"),
        region_name="us-east-1",
    )
    return session.client(service, endpoint_url=cloud.endpoint_url, **options)


class Person:
    """An IAM user with one inline policy, and clients with the user's own key."""

    def __init__(self, cloud, name: str, *statements: dict):
        self.cloud, self.name = cloud, name
        self.iam = cloud.client("iam")
        self.iam.create_user(UserName=name)
        self.key = self.iam.create_access_key(UserName=name)["AccessKey"]
        if statements:
            self.may(*statements)

    def may(self, *statements: dict) -> None:
        self.iam.put_user_policy(
            UserName=self.name, PolicyName="own", PolicyDocument=policy_of(*statements)
        )

    def client(self, service: str):
        return client_of(self.cloud, service, self.key)


def refusal(call, **parameters) -> tuple[str, str, int]:
    """Error code, message and HTTP status of a call that has to fail."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response
    return (
        error["Error"]["Code"],
        error["Error"]["Message"],
        error["ResponseMetadata"]["HTTPStatusCode"],
    )
