"""What Bedrock keeps outlives the local cloud, and goes when it is emptied; what runs ends with it."""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from localcloud import LocalCloud

TESTS = Path(__file__).parent
# When two documents are indexed, the third is nearly always in the model.
INGESTING = """
import sys
from deployment import wait_for
from knowledge import SEMANTIC, KnowledgeBase
from localcloud import LocalCloud

cloud = LocalCloud(port=0, state=sys.argv[1]).start()
# No text twice: it would be remembered.
text = lambda first: " ".join(f"Sentence {n} is about the number {n * 7}." for n in range(first, first + 80))
base = KnowledgeBase(cloud, {f"{n}.txt": text(80 * n) for n in range(40)}, SEMANTIC)
ids = {"knowledgeBaseId": base.id, "dataSourceId": base.source}
ids["ingestionJobId"] = base.agent.start_ingestion_job(**ids)["ingestionJob"]["ingestionJobId"]
asked = lambda: base.agent.get_ingestion_job(**ids)["ingestionJob"]
wait_for(lambda: asked()["statistics"]["numberOfNewDocumentsIndexed"] > 1)
assert asked()["status"] == "IN_PROGRESS"
print(*ids.values())
"""


def test_a_guardrail_is_there_after_a_restart(tmp_path):
    with LocalCloud(port=0, state=tmp_path / "state") as cloud:
        made = cloud.client("bedrock").create_guardrail(
            name="kept",
            blockedInputMessaging="No.",
            blockedOutputsMessaging="No.",
            wordPolicyConfig={"wordsConfig": [{"text": "secret"}]},
        )
    with LocalCloud(port=0, state=tmp_path / "state") as cloud:
        bedrock, runtime = cloud.client("bedrock"), cloud.client("bedrock-runtime")
        (kept,) = bedrock.list_guardrails()["guardrails"]
        assert kept["createdAt"] == made["createdAt"]
        answer = runtime.apply_guardrail(
            guardrailIdentifier=made["guardrailId"],
            guardrailVersion="DRAFT",
            source="INPUT",
            content=[{"text": {"text": "It is a secret."}}],
        )
        assert answer["outputs"] == [{"text": "No."}]
        empty = f"{cloud.endpoint_url}/_localcloud/resources"
        urllib.request.urlopen(urllib.request.Request(empty, method="DELETE")).close()
        assert bedrock.list_guardrails()["guardrails"] == []


@pytest.mark.parametrize("leaving", ["cloud.stop()", ""], ids=["stopped", "left running"])
def test_a_job_that_runs_keeps_nobody_from_leaving_python(tmp_path, leaving):
    state = tmp_path / "state"
    done = subprocess.run(
        [sys.executable, "-c", INGESTING + leaving, state], capture_output=True, text=True, timeout=240,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(TESTS), os.environ.get("PYTHONPATH", "")))},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    if leaving:
        base, source, job = done.stdout.split()
        ids = {"knowledgeBaseId": base, "dataSourceId": source, "ingestionJobId": job}
        with LocalCloud(port=0, state=state) as cloud:
            ended = cloud.client("bedrock-agent").get_ingestion_job(**ids)["ingestionJob"]
        assert ended["status"] == "FAILED"
        assert "stopped meanwhile" in ended["failureReasons"][0]
