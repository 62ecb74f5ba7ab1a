"""Guardrails outlive the local cloud, and go when it is emptied."""

import urllib.request

from localcloud import LocalCloud


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
