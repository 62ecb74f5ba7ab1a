"""How Init or an invocation ended, seen from the platform, with AWS's payloads for what it ends."""

import signal
from dataclasses import dataclass

from .report import Failure, platform_error

MAX_RESPONSE_BYTES = 6_291_556


@dataclass(frozen=True)
class Result:
    """The payload, whether the function failed, and the failure that ended the phase, if one did."""

    payload: bytes = b""
    failed: bool = False
    failure: Failure | None = None


def answered(payload: bytes) -> Result:
    """The function's own answer, or the refusal of one that is too large."""
    if len(payload) <= MAX_RESPONSE_BYTES:
        return Result(payload)
    message = (
        f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
    )
    kind = "Function.ResponseSizeTooLarge"
    body = f'{{"errorMessage":"{message}","errorType":"{kind}"}}'.encode()
    return Result(body, True, Failure("error", kind))


def exited(status: int, verdict: Failure | None, timeout_s: int, request_id: str) -> Result:
    """The runtime's process ended: by itself, by a signal (a negative status) or by our verdict."""
    verdict = verdict or Failure("error", "Runtime.ExitError")
    if verdict.status == "timeout":
        message = f"Task timed out after {timeout_s:.2f} seconds"
        return Result(platform_error("Sandbox.Timedout", message, request_id), True, verdict)
    if status == 0:
        message = "Runtime exited without providing a reason"
    elif status < 0:
        name = signal.strsignal(-status) or f"signal {-status}"
        message = f"Runtime exited with error: signal: {name.lower()}"
    else:
        message = f"Runtime exited with error: exit status {status}"
    return Result(platform_error("Runtime.ExitError", message, request_id), True, verdict)


def extension_failed(error_type: str, request_id: str) -> Result:
    """An extension reported an error, or ended where it should not (Extension.Crash)."""
    payload = platform_error(error_type, "An extension failed", request_id)
    return Result(payload, True, Failure("error", error_type))
