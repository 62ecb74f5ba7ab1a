"""CloudWatch Logs as a function leaves them: lines, streams, formats, and roles that may not write."""

import json
import re

import pytest

from deployment import BASIC_EXECUTION, deploy, invoke, log_messages, make_role, wait_for

SPEAK = """
    import logging
    logger = logging.getLogger()
    logger.setLevel(logging.DEBUG)
    def handler(event, context):
        print("printed")
        logger.info("two\\nlines")
        logger.debug("detail")
        if event.get("raise"):
            raise KeyError("missing")
        return 1
"""
ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def test_text_lines_to_the_letter(local_cloud):
    deploy(local_cloud, "speak", SPEAK)
    invoke(local_cloud, "speak")
    invoke(local_cloud, "speak", {"raise": True})
    lines = log_messages(local_cloud, "/aws/lambda/speak", "KeyError")
    lines = wait_for(
        lambda: (
            (found := log_messages(local_cloud, "/aws/lambda/speak", "KeyError"))
            and sum(line.startswith("REPORT") for line in found) == 2
            and found
        )
    )
    expected = [
        r"INIT_START Runtime Version: python:3\.\d+\.v\d+\tRuntime Version ARN: arn:aws:lambda:.*\n",
        rf"START RequestId: {ID} Version: \$LATEST\n",
        r"printed\n",
        rf"\[INFO\]\t\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{ID}\ttwo\nlines\n",
        rf"\[DEBUG\]\t.*\t{ID}\tdetail\n",
        rf"END RequestId: {ID}\n",
        rf"REPORT RequestId: {ID}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\t\t\n",
        rf"START RequestId: {ID} Version: \$LATEST\n",
        r"printed\n",
        r"\[INFO\]\t.*\ttwo\nlines\n",
        r"\[DEBUG\]\t.*\tdetail\n",
        r"\[ERROR\] KeyError: 'missing'\nTraceback \(most recent call last\):\n(.|\n)*",
        rf"END RequestId: {ID}\n",
        rf"REPORT RequestId: {ID}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 128 MB\tMax Memory Used: \d+ MB\t\n",
    ]
    assert len(lines) == len(expected)
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), (line, pattern)
    assert "\u00a0\u00a0File" in lines[11], "blanks at the start of a frame do not break"
    streams = local_cloud.client("logs").describe_log_streams(logGroupName="/aws/lambda/speak")
    [stream] = streams["logStreams"]
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream["logStreamName"])


def test_billed_duration_includes_init(local_cloud):
    deploy(local_cloud, "billed", "import time\ntime.sleep(0.2)\ndef handler(e, c): return 1\n")
    _, _, tail = invoke(local_cloud, "billed")
    numbers = re.search(
        r"Duration: ([\d.]+) ms\tBilled Duration: (\d+) ms.*Init Duration: ([\d.]+) ms", tail
    )
    duration, billed, init = map(float, numbers.groups())
    assert init >= 200
    assert duration + init <= billed < duration + init + 1


def test_json_format_and_levels(local_cloud):
    role = make_role(local_cloud, "json-role")
    deploy(
        local_cloud,
        "json",
        SPEAK.replace("logger.setLevel(logging.DEBUG)", ""),
        role,
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO"},
    )
    invoke(local_cloud, "json", {"raise": True})
    lines = log_messages(local_cloud, "/aws/lambda/json", "platform.report")
    assert "printed\n" in lines, "print is not turned into JSON"
    entries = [json.loads(line) for line in lines if line.startswith("{")]
    kinds = [entry["type"] for entry in entries if "type" in entry]
    assert kinds == ["platform.initStart", "platform.start", "platform.report"]
    report = entries[-1]["record"]
    assert set(report["metrics"]) == {
        "durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs",
    }  # fmt: skip
    messages = {entry.get("message"): entry for entry in entries}
    assert messages["two\nlines"]["level"] == "INFO"
    assert "detail" not in messages
    [error] = [entry for entry in entries if entry.get("level") == "ERROR"]
    assert (error["errorType"], error["errorMessage"]) == ("KeyError", "'missing'")


def test_custom_log_group(local_cloud):
    deploy(local_cloud, "elsewhere", SPEAK, LoggingConfig={"LogGroup": "/shared/group"})
    invoke(local_cloud, "elsewhere")
    log_messages(local_cloud, "/shared/group", "REPORT")
    streams = local_cloud.client("logs").describe_log_streams(logGroupName="/shared/group")
    name = streams["logStreams"][0]["logStreamName"]
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/elsewhere\[\$LATEST\][0-9a-f]{32}", name)


def test_tail_is_the_last_four_kilobytes(local_cloud):
    deploy(local_cloud, "long", "def handler(e, c):\n  for i in range(2000): print('line', i)\n")
    _, _, tail = invoke(local_cloud, "long")
    assert len(tail.encode()) == 4096
    assert "line 1999\nEND" in tail


@pytest.mark.parametrize("missing", ["CreateLogGroup", "CreateLogStream", "PutLogEvents"])
def test_a_role_that_may_not_log_leaves_no_log(local_cloud, missing):
    actions = [f"logs:{a}" for a in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")]
    allowed = [action for action in actions if not action.endswith(missing)]
    name = f"silent-{missing}"
    role = make_role(local_cloud, f"{name}-role", {"Action": allowed, "Resource": "*"}, logs=False)
    deploy(local_cloud, name, SPEAK, role)
    assert invoke(local_cloud, name)[0] == 1
    # Another function's log, written after, shows that this one's would be there by now.
    deploy(local_cloud, f"{name}-other", SPEAK)
    invoke(local_cloud, f"{name}-other")
    log_messages(local_cloud, f"/aws/lambda/{name}-other", "REPORT")
    logs = local_cloud.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    streams = [
        stream
        for group in groups
        if group["logGroupName"] == f"/aws/lambda/{name}"
        for stream in logs.describe_log_streams(logGroupName=group["logGroupName"])["logStreams"]
    ]
    assert streams == []
    iam = local_cloud.client("iam")
    iam.attach_role_policy(RoleName=f"{name}-role", PolicyArn=BASIC_EXECUTION)
    invoke(local_cloud, name)
    log_messages(local_cloud, f"/aws/lambda/{name}", "REPORT")
