"""LOCALCLOUD_TEXT_ENDPOINT: text from a server that speaks OpenAI's Chat Completions."""

import json
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import EventStreamError

from bedrock import NOVA, runtime, said, turn
from localcloud import LocalCloud


class Server(BaseHTTPRequestHandler):
    """Answers in three pieces, and notes what it was asked; breaks off where it is asked to."""

    asked: list = []

    def do_POST(self):
        length = int(self.headers["content-length"])
        asked = json.loads(self.rfile.read(length))
        self.asked.append((self.path, asked))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for text in ("Pa", "r", "is"):
            self._event({"choices": [{"delta": {"content": text}, "finish_reason": None}]})
            if "break off" in asked["messages"][-1]["content"]:
                return
        self._event({"choices": [{"delta": {}, "finish_reason": "length"}]})
        self._event({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 3}})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, document):
        self.wfile.write(f"data: {json.dumps(document)}\n\n".encode())

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture(scope="module")
def client():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with pytest.MonkeyPatch.context() as environment:
        url = f"http://127.0.0.1:{server.server_port}/v1"
        environment.setenv("LOCALCLOUD_TEXT_ENDPOINT", url)
        environment.setenv("LOCALCLOUD_TEXT_MODEL", "better")
        with LocalCloud(port=0) as cloud:
            yield runtime(cloud)
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_server_answers_and_counts(client):
    config = {"maxTokens": 5, "temperature": 0.3, "stopSequences": ["."]}
    answer = client.converse(
        modelId=NOVA, system=[{"text": "Be short."}], messages=[turn("Where?")],
        inferenceConfig=config,
    )  # fmt: skip
    assert (said(answer), answer["stopReason"]) == ("Paris", "max_tokens")
    assert answer["usage"] == {"inputTokens": 11, "outputTokens": 3, "totalTokens": 14}
    told = answer["ResponseMetadata"]["HTTPHeaders"]["x-localcloud-answered-by"]
    assert told.startswith("better at http://127.0.0.1:")
    path, asked = Server.asked[-1]
    assert path == "/v1/chat/completions"
    assert asked["model"] == "better"
    assert (asked["max_tokens"], asked["temperature"], asked["stop"]) == (5, 0.3, ["."])
    assert asked["messages"] == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Where?"},
    ]


def test_a_stream_that_the_server_breaks_off(client):
    stream = client.converse_stream(modelId=NOVA, messages=[turn("Please break off.")])["stream"]
    with closing(stream), pytest.raises(EventStreamError) as caught:
        list(stream)
    assert caught.value.response["Error"]["Code"] == "modelStreamErrorException"


def test_a_server_that_is_not_there():
    # A second cloud can't run beside the first: the engine is asked by itself.
    import asyncio

    from localcloud.foundation_models.openai_engine import OpenAiEngine
    from localcloud.foundation_models.text_engine import EngineUnavailable, Sampling

    async def ask():
        engine = OpenAiEngine("http://127.0.0.1:9/v1", "any")
        async for _ in engine.generate([("user", "Hello")], Sampling(5)):
            pass

    with pytest.raises(
        EngineUnavailable, match="LOCALCLOUD_TEXT_ENDPOINT names .* does not answer"
    ):
        asyncio.run(ask())
