"""What AWS lays beside a function's source in a template ("cfn-response module"), and MiniStack does not."""

import json
import urllib.request

SUCCESS, FAILED = "SUCCESS", "FAILED"


def send(event, context, status, data, physical_id=None, no_echo=False, reason=None):
    """Answer CloudFormation."""
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {
        "Status": status, "Data": data, "NoEcho": no_echo,
        "Reason": reason or f"See the log stream {context.log_stream_name}",
        "PhysicalResourceId": physical_id or context.log_stream_name,
    }  # fmt: skip
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, method="PUT")
    request.add_header("Content-Type", "")
    urllib.request.urlopen(request, timeout=30).close()
