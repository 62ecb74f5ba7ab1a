"""Every operation of Bedrock and S3 Vectors: docs/localcloud.md says works, partly or not, and so it is."""

import re
from pathlib import Path

import botocore.auth
import botocore.awsrequest
import pytest
from botocore import xform_name
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from botocore.session import Session

TESTS = Path(__file__).parent
SHARED = ("agents.py", "bedrock.py", "knowledge.py")
PAGE = TESTS.parent / "docs" / "localcloud.md"
SERVICES = ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime", "s3vectors")


@pytest.fixture(scope="module")
def models():
    """The API models that boto3 goes by."""
    return {service: Session().get_service_model(service) for service in SERVICES}


def rows():
    """Of the page's table: service, operations, what the page says of them, and their tests."""
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0] in SERVICES:
            yield cells[0], cells[1].split(", "), *cells[2:]


@pytest.mark.parametrize("service", SERVICES)
def test_the_page_lists_every_operation_once(models, service):
    listed = [name for of, names, *_ in rows() if of == service for name in names]
    assert sorted(listed) == sorted(models[service].operation_names)


def test_each_operation_that_works_is_called_by_the_tests_that_the_page_names():
    shared = "".join((TESTS / name).read_text() for name in SHARED)
    untested = [
        (service, name)
        for service, names, state, tests in rows()
        if not state.startswith("not")
        for name in names
        if not re.search(
            rf"\b{xform_name(name)}\b",
            shared + "".join((TESTS / test).read_text() for test in tests.split(", ")),
        )
    ]
    assert not untested


def test_what_is_listed_as_not_is_refused_by_name_and_nothing_else_is(local_cloud, models):
    session, wrong = URLLib3Session(), []
    for service, names, state, _ in rows():
        assert re.match(r"(works|partly|not)\b", state), state
        for name in names:
            operation = models[service].operation_model(name)
            # An identifier that nothing has, and no other parameter.
            path = re.sub(r"\{\w+\}", "nothing", operation.http["requestUri"])
            request = botocore.awsrequest.AWSRequest(
                operation.http["method"], local_cloud.endpoint_url + path
            )
            signed = Credentials("test", "test"), models[service].signing_name, "us-east-1"
            botocore.auth.SigV4Auth(*signed).add_auth(request)
            answer = session.send(request.prepare())
            says = f"{answer.status_code} {answer.text}"
            refusal = f'404 {{"message": "localcloud has no operation {name} of {service}; docs/'
            if state.startswith("not"):
                is_right = says.startswith(refusal)
            else:
                is_right = "has no operation" not in says and answer.status_code < 500
            if not is_right:
                wrong.append((service, name, state, says))
    assert not wrong
