"""Refusals, in the words and the protocol of the service that was asked."""

import json
import struct
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from .actions import ApiRequest, Need
from .policies import Decision, PolicyType
from .request_origin import RequestOrigin

Headers = list[tuple[bytes, bytes]]
# S3 API reference, "Error responses"; all others are 403.
_S3_STATUS = {
    "ExpiredToken": 400,
    "InvalidArgument": 400,
    "InvalidToken": 400,
    "MethodNotAllowed": 405,
    "PreconditionFailed": 412,
    "XAmzContentSHA256Mismatch": 400,
}


@dataclass(frozen=True)
class Denial:
    """A refusal. `protocol` is s3, query, json, rest-json or cbor; `code` is what boto3 shows; `details`
    are further elements of an answer of S3's, `allow` is the header that a 405 has.
    """

    protocol: str
    service: str
    code: str
    message: str
    has_body: bool = True
    details: Mapping[str, str] = field(default_factory=dict)
    allow: str = ""

    def render(self, origin: RequestOrigin | None = None) -> tuple[int, Headers, bytes]:
        """Status, headers and body of the answer; to a HEAD request it has no body.

        An answer of S3 carries the ids of its `origin`.
        """
        if self.protocol == "s3":
            origin = origin or RequestOrigin(str)
            status, body = self._s3(origin.request_id, origin.host_id)
            headers = origin.stamp([(b"content-type", b"application/xml")])
            if self.allow:
                headers.append((b"allow", self.allow.encode()))
            return status, headers, body if self.has_body else b""
        request_id = str(uuid.uuid4())
        if self.protocol == "query":
            status, content_type, body = self._query(request_id)
        elif self.protocol == "cbor":
            status, content_type = 400, b"application/cbor"
            body = _cbor_map({"__type": self.code, "message": self.message})
        else:
            status = 400 if self.protocol == "json" else 403
            content_type = b"application/x-amz-json-1.1"
            body = json.dumps({"__type": self.code, "Message": self.message}).encode()
        headers = [
            (b"content-type", content_type),
            (b"x-amzn-requestid", request_id.encode()),
        ]
        if self.protocol == "rest-json":
            headers.append((b"x-amzn-errortype", self.code.encode()))
        if self.protocol == "cbor":
            headers.append((b"smithy-protocol", b"rpc-v2-cbor"))
        if (self.service, self.code) == ("sqs", "AccessDeniedException"):
            # SQS's clients still expect the code that it had before it spoke JSON.
            headers.append((b"x-amzn-query-error", b"AccessDenied;Sender"))
        return status, headers, body if self.has_body else b""

    def _s3(self, request_id: str, host_id: str) -> tuple[int, bytes]:
        details = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in self.details.items())
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{self.code}</Code>'
            f"<Message>{escape(self.message)}</Message>{details}<RequestId>{request_id}</RequestId>"
            f"<HostId>{host_id}</HostId></Error>"
        )
        return _S3_STATUS.get(self.code, 403), body.encode()

    def _query(self, request_id: str) -> tuple[int, bytes, bytes]:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{self.code}</Code>"
            f"<Message>{escape(self.message)}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return 403, b"text/xml", body.encode()


def access_denied(
    caller_arn: str | None, need: Need, decision: Decision, service: str, request: ApiRequest
) -> Denial:
    """The refusal for a permission that is lacking."""
    protocol = _protocol(service, request)
    code = "AccessDenied" if protocol in ("s3", "query") else "AccessDeniedException"
    if service == "sns":  # SNS API reference, "Common errors"
        code = "AuthorizationError"
    message = denial_message(caller_arn, need, decision)
    return Denial(protocol, service, code, message, request.method != "HEAD")


_INVALID = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"
_UNSIGNED = "Request is missing Authentication Token"
_NO_MATCH = (
    "The request signature we calculated does not match the signature you provided. Check your"
)
_S3_MISMATCH = f"{_NO_MATCH} key and signing method."
_MISMATCH = (
    f"{_NO_MATCH} AWS Secret Access Key and signing method. "
    "Consult the service documentation for details."
)
# By protocol; JSON services share one code. S3: "Error responses" in its API reference; the others:
# "Common error types" in each API reference.
_REFUSED_CREDENTIALS = {
    ("inactive", "s3"): (
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    ("inactive", "query"): ("InvalidClientTokenId", _INVALID),
    ("inactive", "json"): ("UnrecognizedClientException", _INVALID),
    ("token", "s3"): ("InvalidToken", "The provided token is malformed or otherwise invalid."),
    ("token", "query"): ("InvalidClientTokenId", _INVALID),
    ("token", "json"): ("UnrecognizedClientException", _INVALID),
    ("expired", "s3"): ("ExpiredToken", "The provided token has expired."),
    ("expired", "query"): ("ExpiredToken", _EXPIRED),
    ("expired", "json"): ("ExpiredTokenException", _EXPIRED),
    ("mismatch", "s3"): ("SignatureDoesNotMatch", _S3_MISMATCH),
    ("mismatch", "query"): ("SignatureDoesNotMatch", _MISMATCH),
    ("mismatch", "json"): ("InvalidSignatureException", _MISMATCH),
    ("skewed", "s3"): (
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    ),
    ("skewed", "query"): ("SignatureDoesNotMatch", "Signature expired"),
    ("skewed", "json"): ("InvalidSignatureException", "Signature expired"),
    ("presigned", "s3"): ("AccessDenied", "Request has expired"),
    ("presigned", "query"): ("SignatureDoesNotMatch", "Signature expired"),
    ("presigned", "json"): ("InvalidSignatureException", "Signature expired"),
    ("content", "s3"): (
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
    ("content", "query"): ("SignatureDoesNotMatch", _MISMATCH),
    ("content", "json"): ("InvalidSignatureException", _MISMATCH),
    ("unsigned", "query"): ("MissingAuthenticationToken", _UNSIGNED),
    ("unsigned", "json"): ("MissingAuthenticationTokenException", _UNSIGNED),
}


def refused_credentials(state: str, service: str, request: ApiRequest) -> Denial:
    """The refusal of a key that is `inactive` or `expired`, of a `token` that isn't the key's, of a
    signature (`mismatch`, `skewed`, `presigned`, `content`), or for the lack of one (`unsigned`).
    """
    protocol = _protocol(service, request)
    family = protocol if protocol in ("s3", "query") else "json"
    code, message = _REFUSED_CREDENTIALS[state, family]
    return Denial(protocol, service, code, message, request.method != "HEAD")


def refused_api_key() -> Denial:
    """The refusal of an API key of Bedrock's, which this cloud doesn't take. The code is AWS's."""
    return Denial(
        "rest-json", "bedrock", "AccessDeniedException",
        "localcloud takes no API keys of Bedrock: sign the request with access keys, and unset "
        "AWS_BEARER_TOKEN_BEDROCK",
    )  # fmt: skip


def denial_message(caller_arn: str | None, need: Need, decision: Decision) -> str:
    """The text of an AccessDenied, as AWS words it in 2026 (facts F3); anonymous callers are told
    no more than that.

    IAM User Guide, "Troubleshoot access denied error messages".
    """
    if caller_arn is None:
        return "Access Denied"
    action = need.action
    resource = need.resource
    if action.startswith("s3:"):
        resource = f'"{resource}"'
    elif action.startswith("sns:"):  # seen in SNS's messages alone
        action = f"SNS:{action.removeprefix('sns:')}"
    text = f"User: {caller_arn} is not authorized to perform: {action} on resource: {resource}"
    if decision.explicit:
        article = "an" if decision.policy_type is PolicyType.IDENTITY_BASED else "a"
        arn = f": {decision.policy_arn}" if decision.policy_arn else ""
        return f"{text} with an explicit deny in {article} {decision.policy_type}{arn}"
    if action == "sts:AssumeRole":  # STS doesn't tell whether trust or permission is missing
        return text
    return f"{text} because no {decision.policy_type} allows the {action} action"


def _protocol(service: str, request: ApiRequest) -> str:
    if service == "s3":
        return "s3"
    if "smithy-protocol" in request.headers:
        return "cbor"
    if "x-amz-target" in request.headers:
        return "json"
    if request.path.startswith("/20"):  # a REST service's address begins with its API's date
        return "rest-json"
    is_form = request.headers.get("content-type", "").startswith(
        "application/x-www-form-urlencoded"
    )
    return "query" if is_form or "Action=" in request.query else "rest-json"


def _cbor_map(texts: dict[str, str]) -> bytes:
    """A map of texts in CBOR (RFC 8949): fewer than 24 pairs, each text up to 65,535 bytes."""
    parts = [bytes([0xA0 | len(texts)])]
    for text in (part for pair in texts.items() for part in pair):
        data = text.encode()
        parts.append(struct.pack(">BH", 0x79, len(data)) + data)
    return b"".join(parts)
