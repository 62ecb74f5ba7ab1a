"""Who is calling, and may they.

Any key that IAM and STS don't know is the account's administrator, such as the learner's own `test`; but not
a session's, nor one that was this account's: these were lost, or nobody ever issued them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .actions import ApiRequest, Need, Scope, credential_scope, needs
from .anonymous import anonymous_scope, has_api_key, may_be_unsigned
from .caller_keys import caller_keys, resource_keys
from .conditions import Context
from .control_plane import principals, resources, s3_authorization
from .control_plane.principals import ANONYMOUS, Principal
from .credentials import credentials_problem
from .decisions import Decisions
from .denials import Denial, access_denied, denial_message, refused_api_key, refused_credentials
from .policies import AccessRequest, Caller, Decision, Policy, evaluate
from .s3_actions import is_delete_objects

_S3 = "arn:aws:s3:::"
# Even against a Deny (STS API reference, GetCallerIdentity; IAM User Guide, "Permissions for
# GetSessionToken").
_ALWAYS_ALLOWED = ("sts:GetCallerIdentity", "sts:GetSessionToken")
# Actions on services whose resources can have a policy.
_WITH_POLICY = ("s3:", "lambda:", "sqs:", "sns:", "kms:")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a signed request may go on, and whose it is (None: nobody's, or the administrator's).

    `problem` says what is wrong with its credentials, in the words of credentials_problem, or that it
    is unsigned; without one a refusal is the policies', and explicit where one of them denies.
    """

    allowed: bool
    principal: Principal | None
    problem: str | None = None
    is_explicit: bool = False


class Gatekeeper:
    """Judges every request of an account by its caller's policies.

    The signature is verified where the key is one of IAM's or STS's: of others nobody knows the
    secret. Where an `administrator` is given (a key and its secret), there is no other one, and keys
    that nobody knows are refused.
    """

    def __init__(self, account_id: str, administrator: tuple[str, str] | None = None):
        self._account_id = account_id
        self._administrator = administrator
        self._decisions = Decisions()

    def check(self, request: ApiRequest) -> Denial | None:
        """None where the request may go on; of DeleteObjects some keys may be refused even so."""
        scope = credential_scope(request)
        if scope is None:
            return self._check_unsigned(request)
        principal = self._find_principal(scope)
        if principal is None:
            problem = self._administrator_problem(scope, request)
            return refused_credentials(problem, scope.service, request) if problem else None
        problem = credentials_problem(principal, request)
        if problem:
            return refused_credentials(problem, scope.service, request)
        return self._check_needs(principal, scope, request)

    def caller_id(self, request: ApiRequest) -> str | None:
        """What S3 calls the caller in its events: `AWS:` and a user's or session's id, `Anonymous`
        for nobody, None for the administrator ("Event message structure" in the S3 User Guide).
        """
        scope = credential_scope(request)
        if scope is None:
            return "Anonymous"
        principal = principals.find_principal(scope.access_key_id, self._account_id)
        return f"AWS:{principal.user_id}" if principal else None

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
            return all(self._decide(ANONYMOUS, need, {}).allowed for need in needed), None
        verdict = self._judge_signed(request, needed)
        return verdict.allowed, verdict.principal

    def judge_api_call(
        self,
        request: ApiRequest,
        arn: str,
        action: str = "execute-api:Invoke",
        policy: Policy | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> "Verdict":
        """Whether a request to an API's route or method with AWS_IAM may go on. `arn` is that of stage,
        method and path, `policy` the API's; `keys` are condition keys that the API knows.

        The policy can refuse the administrator too: it says whom an API is for.
        """
        need = Need(action, arn, keys or {})
        verdict = self._judge_signed(request, (need,), policy)
        if policy and verdict.allowed and verdict.principal is None:
            root = Caller(f"arn:aws:iam::{self._account_id}:root", None, self._account_id)
            decision = self._decide_signed(
                Principal(root, "", self._account_id), need, request, policy
            )
            return Verdict(not decision.explicit, None, is_explicit=decision.explicit)
        return verdict

    def judge_connection_call(self, request: ApiRequest, arn: str | None) -> "Verdict":
        """Whether a request to @connections may go on. `arn` is that of stage, method and connection;
        without one only the signature counts.
        """
        needed = (Need("execute-api:ManageConnections", arn),) if arn else ()
        return self._judge_signed(request, needed)

    def _judge_signed(
        self, request: ApiRequest, needed: tuple[Need, ...], policy: Policy | None = None
    ) -> "Verdict":
        scope = credential_scope(request)
        if scope is None:
            return Verdict(False, None, "unsigned")
        principal = self._find_principal(scope)
        if principal is None:
            problem = self._administrator_problem(scope, request)
            return Verdict(problem is None, None, problem)
        problem = credentials_problem(principal, request)
        if problem:
            return Verdict(False, principal, problem)
        for need in needed:
            decision = self._decide_signed(principal, need, request, policy)
            if not decision.allowed:
                return Verdict(False, principal, is_explicit=decision.explicit)
        return Verdict(True, principal)

    def _decide_signed(
        self, principal: Principal, need: Need, request: ApiRequest, policy: Policy | None
    ) -> Decision:
        scope = credential_scope(request)
        keys = caller_keys(principal, scope, request, self._account_id)
        return self._decide(principal, need, keys, policy)

    def _find_principal(self, scope: Scope) -> Principal | None:
        if not scope.access_key_id.startswith(principals.KEY_PREFIXES):
            return None
        return principals.find_principal(scope.access_key_id, self._account_id)

    def _administrator_problem(self, scope: Scope, request: ApiRequest) -> str | None:
        """What is wrong with credentials that IAM and STS don't know; None where they may do all."""
        if self._administrator is None:
            is_lost = principals.is_lost(scope.access_key_id, self._account_id)
            return "inactive" if is_lost else None
        key, secret = self._administrator
        if scope.access_key_id != key:
            return "inactive"
        return credentials_problem(Principal(Caller(), "", "", secret=secret), request)

    def _check_unsigned(self, request: ApiRequest) -> Denial | None:
        if has_api_key(request):
            return refused_api_key()
        scope = anonymous_scope(request)
        if scope.service == "s3":
            return self._check_needs(ANONYMOUS, scope, request)
        if may_be_unsigned(request):
            return None
        return refused_credentials("unsigned", scope.service, request)

    def _check_needs(
        self, principal: Principal, scope: Scope, request: ApiRequest
    ) -> Denial | None:
        def context() -> dict[str, str | list[str]]:
            return caller_keys(principal, scope, request, self._account_id)

        one_by_one = scope.service == "s3" and is_delete_objects(request)
        keys_refused = {}
        for need in needs(request, scope, self._account_id):
            if need.action in _ALWAYS_ALLOWED:
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

    def _refusal(self, principal: Principal, need: Need, context) -> tuple[Need, Decision] | None:
        """The permission that is lacking and why; None where the need is met."""
        if not need.action.startswith("s3:") or need.resource == "*":
            decision = self._decide(principal, need, context)
            return None if decision.allowed else (need, decision)
        bucket, _, key = need.resource[len(_S3) :].partition("/")
        if need.action != "s3:CreateBucket" and not resources.bucket_exists(
            bucket, self._account_id
        ):
            return None  # S3 says NoSuchBucket to everybody
        decision = self._decide(principal, need, context)
        if not decision.allowed and not (
            not decision.explicit
            and resources.is_public(bucket, key, need.action, self._account_id)
        ):
            return need, decision
        if need.action == "s3:GetObject" and not resources.object_exists(
            bucket, key, self._account_id
        ):
            # Who may not list a bucket must not learn that a key is missing: 403, not 404
            # (S3 API reference, GetObject, "Permissions").
            listing = Need("s3:ListBucket", f"{_S3}{bucket}")
            decision = self._decide(principal, listing, context)
            return None if decision.allowed else (listing, decision)
        return None

    def _decide(
        self, principal: Principal, need: Need, context, policy: Policy | None = None
    ) -> Decision:
        resource = need.resource
        must_allow = False
        if need.action.startswith(_WITH_POLICY):
            if need.action.startswith("kms:") and ":alias/" in resource or ":key/" in resource:
                resource = resources.key_arn(resource, self._account_id)
            policy = resources.resource_policy(resource, self._account_id)
            # "Key policies in AWS KMS": without the key policy's consent no identity policy helps.
            must_allow = policy is not None and need.action.startswith("kms:")
        elif need.action == "sts:AssumeRole":
            policy, must_allow = principals.trust_policy(resource, self._account_id), True
        keys = Context(context, need.context, lambda: resource_keys(need, self._account_id))
        return self._decisions.decide(
            AccessRequest(need.action, resource, principal.caller, keys),
            principal.identity,
            policy,
            principal.boundary,
            principal.sessions,
            must_allow,
        )


def iam_identity(
    request: ApiRequest, account_id: str, principal: Principal | None
) -> dict[str, str | None]:
    """Who signed, as requestContext.authorizer.iam says it; the administrator, whom IAM doesn't know,
    is the account's root user.
    """
    scope = credential_scope(request)
    user_id = principal.user_id if principal else account_id
    return {
        "accessKey": scope.access_key_id if scope else None,
        "accountId": account_id,
        "callerId": user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": principal.caller.arn if principal else f"arn:aws:iam::{account_id}:root",
        "userId": user_id,
    }


def may_service(
    policy: Policy | None,
    action: str,
    resource: str,
    source_arn: str,
    source_account: str,
    service: str = "s3.amazonaws.com",
) -> bool:
    """Whether a resource's policy lets a service act on it for this source.

    An AWS service is judged by the resource policy alone (facts F1); without one it may not.
    """
    if policy is None:
        return False
    context = {
        "aws:SourceArn": source_arn,
        "aws:SourceAccount": source_account,
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": service,
        "aws:SecureTransport": "true",
    }
    asked = AccessRequest(action, resource, Caller(service=service), context)
    return evaluate(asked, resource_policy=policy).allowed
