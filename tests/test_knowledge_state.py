"""Knowledge bases, vectors and agents outlive the local cloud; a job that its end cut off has failed."""

from knowledge import KnowledgeBase
from localcloud import LocalCloud


def test_a_knowledge_base_answers_after_a_restart(tmp_path):
    with LocalCloud(port=0, state=tmp_path / "state") as cloud:
        base = KnowledgeBase(cloud, {"a.txt": "Apples are red.", "b.txt": "Bananas are yellow."})
        base.ingest()
        before = base.ask("Which fruit is yellow?")
        assert before[0]["content"]["text"] == "Bananas are yellow."
    with LocalCloud(port=0, state=tmp_path / "state") as cloud:
        runtime = cloud.client("bedrock-agent-runtime")
        after = runtime.retrieve(
            knowledgeBaseId=base.id, retrievalQuery={"text": "Which fruit is yellow?"}
        )["retrievalResults"]
        assert after == before
        agent = cloud.client("bedrock-agent")
        ids = {"knowledgeBaseId": base.id, "dataSourceId": base.source}
        (job,) = agent.list_ingestion_jobs(**ids)["ingestionJobSummaries"]
        assert job["status"] == "COMPLETE"
        s3vectors = cloud.client("s3vectors")
        more = {"key": "more", "data": {"float32": [1.0] * 1024}}
        s3vectors.put_vectors(indexArn=base.index, vectors=[more])
        assert len(s3vectors.list_vectors(indexArn=base.index)["vectors"]) == 3
