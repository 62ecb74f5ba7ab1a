"""Who is calling, and may they.

Any key that IAM and STS don't know is the account's administrator: the learner's own `test`.
"""

import json
import uuid
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .actions import ApiRequest, Need, credential_scope, needs
from .control_plane import principals
from .policies import AccessRequest, Caller, Decision, Policy, evaluate

_JSON_SERVICES = {"logs", "lambda", "dynamodb", "sqs", "events", "kms", "secretsmanager", "states",
                  "apigateway", "ssm", "bedrock", "kinesis", "scheduler"}  # fmt: skip


@dataclass(frozen=True)
class Denial:
    """A refusal, which renders itself in the protocol of the service that was asked."""

    service: str
    message: str
    method: str
    uses_target: bool

    def render(self) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Status, headers and body of the answer."""
        request_id = uuid.uuid4().hex[:16].upper()
        text = escape(self.message)
        if self.service == "s3":
            body = (
                '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code>'
                f"<Message>{text}</Message><RequestId>{request_id}</RequestId>"
                f"<HostId>{request_id}</HostId></Error>"
            )
            body = "" if self.method == "HEAD" else body
            return 403, [(b"content-type", b"application/xml")], body.encode()
        if self.service in _JSON_SERVICES:
            body = json.dumps({"__type": "AccessDeniedException", "Message": self.message})
            headers = [
                (b"content-type", b"application/x-amz-json-1.1"),
                (b"x-amzn-errortype", b"AccessDeniedException"),
            ]
            return (400 if self.uses_target else 403), headers, body.encode()
        body = (
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
            f"<Message>{text}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return 403, [(b"content-type", b"text/xml")], body.encode()


class Gatekeeper:
    """Judges every request of an account by its caller's policies."""

    def __init__(self, account_id: str):
        self._account_id = account_id

    def check(self, request: ApiRequest) -> Denial | None:
        """None where the request may go on."""
        scope = credential_scope(request)
        # IAM's and STS's keys begin so; all others are the administrator's, at no further cost.
        if scope is None or not scope.access_key_id.startswith(("AKIA", "ASIA", "LKIA", "LSIA")):
            return None
        principal = principals.find_principal(scope.access_key_id, self._account_id)
        if principal is None:
            return None
        wanted = needs(request, scope, self._account_id)
        if scope.service == "s3":
            wanted = self._with_listing(request, wanted)
        context = {
            "aws:username": principal.name,
            "aws:PrincipalArn": principal.caller.role_arn or principal.caller.arn,
            "aws:PrincipalAccount": self._account_id,
            "aws:RequestedRegion": scope.region,
            "aws:SourceIp": "127.0.0.1",
            "aws:SecureTransport": "false",
        }
        for need in wanted:
            if need.action == "sts:GetCallerIdentity":  # allowed even against a Deny
                continue
            resource = None
            if scope.service == "s3" and need.resource != "*":
                bucket = need.resource.removeprefix("arn:aws:s3:::").partition("/")[0]
                resource = principals.bucket_policy(bucket, self._account_id)
            access = AccessRequest(need.action, need.resource, principal.caller, context)
            decision = _decide(access, principal, resource)
            if not decision.allowed:
                text = _message(principal.caller.arn, need, decision, scope.service)
                return Denial(
                    scope.service, text, request.method, "x-amz-target" in request.headers
                )
        return None

    def may_role(self, role_arn: str, session: str, action: str, resource: str) -> bool:
        """Whether a role allows what Lambda does in its name, such as writing the log."""
        principal = principals.role_principal(role_arn, session, self._account_id)
        return _decide(AccessRequest(action, resource, principal.caller), principal).allowed

    def _with_listing(self, request: ApiRequest, wanted: list[Need]) -> list[Need]:
        """Who may not list a bucket must not learn that a key is missing: 403 in place of 404."""
        if not wanted or wanted[0].action not in ("s3:GetObject", "s3:GetObjectVersion"):
            return wanted
        bucket, _, key = wanted[0].resource.removeprefix("arn:aws:s3:::").partition("/")
        if principals.object_is_missing(bucket, key, self._account_id):
            return [wanted[0], Need("s3:ListBucket", f"arn:aws:s3:::{bucket}"), *wanted[1:]]
        return wanted


def may_service_invoke(
    policy: dict | None,
    source_arn: str,
    source_account: str,
    function_arn: str,
    service: str = "s3.amazonaws.com",
) -> bool:
    """Whether a function's resource policy lets a service invoke it for this source."""
    if policy is None:
        return False
    context = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_account}
    access = AccessRequest("lambda:InvokeFunction", function_arn, Caller(service=service), context)
    return evaluate(access, resource_policy=Policy(policy)).allowed


def _decide(
    access: AccessRequest, principal: principals.Principal, resource: Policy | None = None
) -> Decision:
    sessions = [principal.session] if principal.session else []
    return evaluate(access, principal.identity, resource, principal.boundary, sessions)


def _message(principal: str, need: Need, decision: Decision, service: str) -> str:
    """The text of an AccessDenied, as AWS words it in 2026."""
    resource = f'"{need.resource}"' if service == "s3" else need.resource
    begin = f"User: {principal} is not authorized to perform: {need.action} on resource: {resource}"
    kind = decision.policy_type
    article = "an" if kind.startswith("identity") else "a"
    if decision.explicit:
        arn = f": {decision.policy_arn}" if decision.policy_arn else ""
        return f"{begin} with an explicit deny in {article} {kind}{arn}"
    return f"{begin} because no {kind} allows the {need.action} action"
