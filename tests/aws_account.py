"""An AWS account that says what a test wants: it answers boto3's default session in place of a network.

Requests pass botocore's validation and serialization; answers are given as boto3 returns them.
"""

import contextlib
from collections import Counter, defaultdict
from types import SimpleNamespace

import boto3
from botocore.loaders import create_loader

from labkit import project, publish, resource_kinds, tagging

IDENTITY = {
    "Account": "123456789012",
    "Arn": "arn:aws:iam::123456789012:user/ana",
    "UserId": "AIDAEXAMPLE",
}
TAGS = {tagging.KEY: tagging.VALUE}
TAG_LIST = [{"Key": tagging.KEY, "Value": tagging.VALUE}]
# What code reads without asking whether it is there, as AWS always gives it.
_ALWAYS = {"ListBuckets": {"Buckets": []}, "GetCallerIdentity": IDENTITY}


class Refusal:
    """An error answer."""

    def __init__(self, code, message="AWS's own words", status=400):
        self.code, self.message, self.status = code, message, status


DENIED = Refusal("AccessDeniedException", "ana is not authorized to perform this", 403)
EXPIRED = Refusal("ExpiredToken", status=403)
THROTTLED = Refusal("ThrottlingException", "Rate exceeded")
_LOADER = create_loader()


class Account:
    """`says` gives an operation its answers, in order; the last is given from then on.

    An answer is a dict, a Refusal, or an exception, which is raised. An operation without any says that
    there is nothing. `asked` has the parameters of each call, by operation.
    """

    def __init__(self):
        self.answers = {}
        self.asked = defaultdict(list)

    def says(self, operation, *answers):
        """Give an operation, such as ListFunctions, its answers."""
        self.answers[operation] = list(answers)

    def counts(self):
        """How often each operation was asked for."""
        return Counter({name: len(calls) for name, calls in self.asked.items()})

    def listen(self):
        """Answer for boto3's default session."""
        events = boto3.DEFAULT_SESSION.events
        events.register("provide-client-params", self._note)
        events.register("before-call", self._answer)

    def _note(self, params, model, **_):
        self.asked[model.name].append(params)

    def _answer(self, model, **_):
        given = self.answers.get(model.name) or [_ALWAYS.get(model.name, {})]
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Refusal):
            error = {"Code": answer.code, "Message": answer.message}
            about = {"HTTPStatusCode": answer.status}
            return _http(answer.status), {"Error": error, "ResponseMetadata": about}
        return _http(200), {**answer, "ResponseMetadata": {"HTTPStatusCode": 200}}


def _http(status):
    return SimpleNamespace(status_code=status, headers={}, content=b"")


@contextlib.contextmanager
def answering_account(monkeypatch, tmp_path):
    """An account that answers all that the kit asks of AWS, with a folder for what the kit keeps."""
    monkeypatch.setenv("LAB_TARGET", "aws")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(project, "WORK", tmp_path)
    monkeypatch.setattr(publish, "PAGE", tmp_path / "launch-stack.html")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    account, install = Account(), tagging.install

    def install_and_listen():
        install()
        # Services' models are read once for all tests.
        boto3.DEFAULT_SESSION._session.register_component("data_loader", _LOADER)
        account.listen()

    monkeypatch.setattr(tagging, "install", install_and_listen)
    resource_kinds.client.cache_clear()
    install_and_listen()
    yield account
    resource_kinds.client.cache_clear()
    boto3.DEFAULT_SESSION = None
