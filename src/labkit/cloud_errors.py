"""What the cloud refuses, in words that say what to do next."""

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

_EXPIRED = (
    "Your credentials have expired. Log in again (aws sso login, or new keys), then repeat it."
)
_UNKNOWN = (
    "AWS does not know these keys, or the secret does not belong to them: aws configure list."
)
_SLOW = "AWS is asked too often for now, and the retries are used up. Wait a minute, then repeat the command."
_DENIED = "You may not do this here. docs/learner-policy-*.json are all that the course needs."
# Codes: common errors of AWS's APIs, those of IAM and STS, and botocore's own list of throttles.
_CODES = {
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"), _EXPIRED
    ),
    **dict.fromkeys(
        (
            "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId",
            "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "IncompleteSignature",
        ),
        _UNKNOWN,
    ),
    **dict.fromkeys(
        (
            "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "SlowDown",
            "TooManyRequestsException", "RequestLimitExceeded", "PriorRequestNotComplete",
        ),
        _SLOW,
    ),
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"), _DENIED),
    # HEAD has no body: HeadBucket's code is its status.
    "403": "The bucket is somebody else's, or you may not look at it: choose another name.",
    "301": "The bucket is in another region: choose another name, or that region.",
    "OptInRequired": "The account is not signed up for this service, or this region is not switched on.",
    "LimitExceededException": "A quota of the account is used up; Service Quotas can raise it.",
}  # fmt: skip
_KINDS: tuple[tuple[type[BotoCoreError], str], ...] = (
    (exceptions.NoCredentialsError,
     "boto3 finds no credentials: `aws configure` or `aws sso login` sets them up; "
     "lab target local goes back to the cloud on this computer."),
    (exceptions.PartialCredentialsError, "A part of the credentials is missing: a key needs its secret."),
    (exceptions.NoRegionError, "No region is chosen. Set AWS_REGION, or a region in your profile."),
    (exceptions.ProfileNotFound, "AWS_PROFILE names a profile that is not in your AWS files."),
    (exceptions.SSOError, "Your login has ended: aws sso login, then repeat the command."),
    (exceptions.TokenRetrievalError, "Your login has ended: aws sso login, then repeat the command."),
    (exceptions.EndpointConnectionError,
     "Nothing answers at this address. Are you online, and is the region's name right?"),
    (exceptions.ConnectTimeoutError, "No connection comes about. Is there a firewall or a proxy in between?"),
)  # fmt: skip


def refuses_keys(error: ClientError) -> bool:
    """Whether every other call would be refused too: the keys have expired, or are nobody's."""
    return _CODES.get(error.response.get("Error", {}).get("Code", "")) in (_EXPIRED, _UNKNOWN)


def explain(error: BotoCoreError | ClientError) -> str:
    """The cloud's own words, and a sentence with what to do, where one is known."""
    if isinstance(error, ClientError):
        advice = _CODES.get(error.response.get("Error", {}).get("Code", ""), "")
    else:
        advice = next((words for kind, words in _KINDS if isinstance(error, kind)), "")
    return f"{error}\n{advice}" if advice else str(error)
