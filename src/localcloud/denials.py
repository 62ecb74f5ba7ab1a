"""Refusals, in the words and the protocol of the service that was asked."""

import json
import struct
import uuid
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .actions import ApiRequest, Need
from .policies import Decision, PolicyType

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Denial:
    """A refusal. `protocol` is s3, query, json, rest-json or cbor; `code` is what boto3 shows."""

    protocol: str
    service: str
    code: str
    message: str
    has_body: bool = True

    def render(self) -> tuple[int, Headers, bytes]:
        """Status, headers and body of the answer; to a HEAD request it has no body."""
        request_id = str(uuid.uuid4())
        if self.protocol == "s3":
            status, content_type, body = self._s3(request_id)
        elif self.protocol == "query":
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

    def _s3(self, request_id: str) -> tuple[int, bytes, bytes]:
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{self.code}</Code>'
            f"<Message>{escape(self.message)}</Message><RequestId>{request_id}</RequestId>"
            f"<HostId>{request_id}</HostId></Error>"
        )
        # S3 API reference, "Error responses".
        status = 400 if self.code == "ExpiredToken" else 403
        return status, b"application/xml", body.encode()

    def _query(self, request_id: str) -> tuple[int, bytes, bytes]:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{self.code}</Code>"
            f"<Message>{escape(self.message)}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return 403, b"text/xml", body.encode()


def access_denied(
    caller_arn: str, need: Need, decision: Decision, service: str, request: ApiRequest
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
# By protocol; JSON services share one code.
_REFUSED_CREDENTIALS = {
    ("inactive", "s3"): (
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    ("inactive", "query"): ("InvalidClientTokenId", _INVALID),
    ("inactive", "json"): ("UnrecognizedClientException", _INVALID),
    ("expired", "s3"): ("ExpiredToken", "The provided token has expired."),
    ("expired", "query"): ("ExpiredToken", _EXPIRED),
    ("expired", "json"): ("ExpiredTokenException", _EXPIRED),
}


def refused_credentials(state: str, service: str, request: ApiRequest) -> Denial:
    """The refusal of a key that is inactive or expired."""
    protocol = _protocol(service, request)
    family = protocol if protocol in ("s3", "query") else "json"
    code, message = _REFUSED_CREDENTIALS[state, family]
    return Denial(protocol, service, code, message, request.method != "HEAD")


def denial_message(caller_arn: str, need: Need, decision: Decision) -> str:
    """The text of an AccessDenied, as AWS words it in 2026 (facts F3).

    IAM User Guide, "Troubleshoot access denied error messages".
    """
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
