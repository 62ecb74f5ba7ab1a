"""Answers a policy for the whole API: it may be remembered for other paths."""

import hashlib
import hmac
import os

WANTED = hashlib.sha256(f"bearer {os.environ['TOKEN']}".encode()).digest()


def handler(event, context):
    scheme, space, rest = event["authorizationToken"].partition(" ")
    given = hashlib.sha256(f"{scheme.lower()}{space}{rest}".encode()).digest()
    effect = "Allow" if hmac.compare_digest(given, WANTED) else "Deny"
    api = event["methodArn"].split("/")[0]
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{api}/*"}
    return {"principalId": "owner", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
