"""Who is calling, and may they.

Any key that IAM and STS don't know is the account's administrator: the learner's own `test`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from .actions import ApiRequest, Need, Scope, credential_scope, needs
from .control_plane import functions, principals, s3_authorization
from .control_plane.principals import Principal
from .denials import Denial, access_denied, denial_message, refused_credentials
from .policies import AccessRequest, Caller, Decision, Policy, evaluate
from .s3_actions import is_delete_objects

# IAM's and STS's keys begin so, the last two for an account id of moto's such as 000000000000.
_KNOWN_KEYS = ("AKIA", "ASIA", "LKIA", "LSIA")
_S3 = "arn:aws:s3:::"


class Gatekeeper:
    """Judges every request of an account by its caller's policies. Signatures are not verified."""

    def __init__(self, account_id: str):
        self._account_id = account_id

    def check(self, request: ApiRequest) -> Denial | None:
        """None where the request may go on; of DeleteObjects some keys may be refused even so."""
        scope = credential_scope(request)
        if scope is None or not scope.access_key_id.startswith(_KNOWN_KEYS):
            return None
        principal = principals.find_principal(scope.access_key_id, self._account_id)
        if principal is None:
            return None
        if principal.credentials != "active":
            return refused_credentials(principal.credentials, scope.service, request)
        context = self._context(principal, scope, request)
        one_by_one = scope.service == "s3" and is_delete_objects(request)
        keys_refused = {}
        for need in needs(request, scope, self._account_id):
            # Allowed even against a Deny (STS API reference, GetCallerIdentity).
            if need.action == "sts:GetCallerIdentity":
                continue
            refused = self._refusal(principal, need, context)
            if refused and one_by_one:
                message = denial_message(principal.caller.arn, *refused)
                keys_refused[need.action, need.resource] = message
            elif refused:
                return access_denied(principal.caller.arn, *refused, scope.service, request)
        if one_by_one:
            s3_authorization.refuse(keys_refused)
        return None

    def may_role(self, role_arn: str, session: str, action: str, resource: str) -> bool:
        """Whether a role allows what Lambda does in its name, such as writing the log."""
        principal = principals.role_principal(role_arn, session, self._account_id)
        return self._decide(principal, Need(action, resource), {}).allowed

    def may_invoke_url(
        self, request: ApiRequest, function_arn: str, auth_type: str
    ) -> tuple[bool, Principal | None]:
        """Whether a request may use a function URL, and who signed it (None: nobody, or the
        administrator).

        Both lambda:InvokeFunctionUrl and lambda:InvokeFunction are needed since October 2025
        ("Control access to Lambda function URLs"); of a URL with AuthType NONE the function's policy
        must allow them to everybody.
        """
        needed = (
            Need(
                "lambda:InvokeFunctionUrl",
                function_arn,
                {"lambda:FunctionUrlAuthType": auth_type},
            ),
            Need("lambda:InvokeFunction", function_arn, {"lambda:InvokedViaFunctionUrl": "true"}),
        )
        if auth_type == "NONE":
            nobody = Principal(Caller(), "anonymous", "")
            return all(self._decide(nobody, need, {}).allowed for need in needed), None
        scope = credential_scope(request)
        if scope is None:
            return False, None
        principal = None
        if scope.access_key_id.startswith(_KNOWN_KEYS):
            principal = principals.find_principal(scope.access_key_id, self._account_id)
        if principal is None:
            return True, None
        context = self._context(principal, scope, request)
        allowed = principal.credentials == "active" and all(
            self._decide(principal, need, context).allowed for need in needed
        )
        return allowed, principal

    @staticmethod
    def access_key(request: ApiRequest) -> str | None:
        """The access key that signed a request."""
        scope = credential_scope(request)
        return scope.access_key_id if scope else None

    def _refusal(
        self, principal: Principal, need: Need, context: Mapping
    ) -> tuple[Need, Decision] | None:
        """The permission that is lacking and why; None where the need is met."""
        if not need.action.startswith("s3:") or need.resource == "*":
            decision = self._decide(principal, need, context)
            return None if decision.allowed else (need, decision)
        bucket, _, key = need.resource.removeprefix(_S3).partition("/")
        if need.action != "s3:CreateBucket" and not principals.bucket_exists(
            bucket, self._account_id
        ):
            return None  # S3 says NoSuchBucket to everybody
        decision = self._decide(principal, need, context)
        if not decision.allowed:
            return need, decision
        if need.action == "s3:GetObject" and not principals.object_exists(
            bucket, key, self._account_id
        ):
            # Who may not list a bucket must not learn that a key is missing: 403, not 404
            # (S3 API reference, GetObject, "Permissions").
            listing = Need("s3:ListBucket", f"{_S3}{bucket}")
            decision = self._decide(principal, listing, context)
            return None if decision.allowed else (listing, decision)
        return None

    def _decide(self, principal: Principal, need: Need, context: Mapping) -> Decision:
        return evaluate(
            AccessRequest(
                need.action, need.resource, principal.caller, {**context, **need.context}
            ),
            principal.identity,
            self._resource_policy(need),
            principal.boundary,
            (principal.session,) if principal.session else (),
            resource_policy_must_allow=need.action == "sts:AssumeRole",
        )

    def _resource_policy(self, need: Need) -> Policy | None:
        """The policy on the resource itself: a bucket's, a function's, a role's trust policy."""
        service = need.action.partition(":")[0]
        if service == "s3":
            bucket = need.resource.removeprefix(_S3).partition("/")[0]
            return principals.bucket_policy(bucket, self._account_id)
        if service == "lambda" and ":function:" in need.resource:
            region = need.resource.split(":")[3]
            document = functions.function_policy(need.resource, self._account_id, region)
            return Policy(document) if document else None
        if need.action == "sts:AssumeRole":
            return principals.trust_policy(need.resource, self._account_id)
        return None

    def _context(self, principal: Principal, scope: Scope, request: ApiRequest) -> dict[str, str]:
        """The condition keys that every request has (IAM User Guide, "Global condition keys")."""
        now = datetime.now(UTC)
        context = {
            "aws:PrincipalArn": principal.caller.role_arn or principal.caller.arn,
            "aws:PrincipalAccount": self._account_id,
            "aws:PrincipalType": "User" if principal.is_user else "AssumedRole",
            "aws:userid": principal.user_id,
            "aws:RequestedRegion": scope.region,
            "aws:SourceIp": "127.0.0.1",
            # The way to this computer's own port stands for AWS's HTTPS: a policy that refuses
            # plain HTTP has to work here as it does there.
            "aws:SecureTransport": "true",
            "aws:CurrentTime": now.isoformat(),
            "aws:EpochTime": str(int(now.timestamp())),
        }
        if principal.is_user:
            context["aws:username"] = principal.name
        for header, key in (("user-agent", "aws:UserAgent"), ("referer", "aws:Referer")):
            if header in request.headers:
                context[key] = request.headers[header]
        return context


def may_service_invoke(
    policy: dict | None,
    source_arn: str,
    source_account: str,
    function_arn: str,
    service: str = "s3.amazonaws.com",
) -> bool:
    """Whether a function's resource policy lets a service invoke it for this source.

    An AWS service is judged by the resource policy alone (facts F1); without one it may not.
    """
    if policy is None:
        return False
    context = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_account}
    asked = AccessRequest("lambda:InvokeFunction", function_arn, Caller(service=service), context)
    return evaluate(asked, resource_policy=Policy(policy)).allowed
