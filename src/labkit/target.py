"""Local cloud or AWS: the one place that chooses.

"local", the default, is the cloud on this computer. "aws" is the learner's own account, with the
credentials that boto3 finds. `lab target` keeps the choice in .lab/target; LAB_TARGET wins over it.
Everything else in the kit calls boto3 and does not know which of the two answers.
"""

import atexit
import contextlib
import os
import sys
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from urllib.parse import urlsplit

from localcloud import find_server

from . import cloud_state, project

LOCAL, AWS = "local", "aws"
# What `apply` sets, beside the search path and the proxies.
LOCAL_ONLY = (
    "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
)  # fmt: skip
# Settings that would lead boto3 past the local cloud, to a real account. A bearer token, such as an API key
# of Bedrock's, wins over access keys, and boto3 refuses to send it to an address without TLS.
_MISLEADING = (
    "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)  # fmt: skip
_MISLEADING_OF_SERVICES = ("AWS_ENDPOINT_URL_", "AWS_BEARER_TOKEN_")

_only = ""  # the cloud that keep_to has named


class UnknownTarget(ValueError):
    """What was chosen is neither "local" nor "aws"; the text is a sentence for the learner."""


def name() -> str:
    """Return "local" or "aws". Raises UnknownTarget for any other choice."""
    return chosen()[0]


def chosen() -> tuple[str, str]:
    """Return "local" or "aws", and what chose it, in words. Raises UnknownTarget for another."""
    if which := os.environ.get("LAB_TARGET"):
        return _valid(which, "LAB_TARGET"), "LAB_TARGET says so"
    which = kept()
    return which, "`lab target aws` was said" if which == AWS else "nothing else was chosen"


def kept() -> str:
    """Return the target that `choose` keeps. Raises UnknownTarget where it is neither."""
    try:
        return _valid(_choice().read_text(encoding="utf-8").strip(), str(_choice()))
    except FileNotFoundError:
        return LOCAL


def _valid(which: str, where: str) -> str:
    if which not in (LOCAL, AWS):
        raise UnknownTarget(f"{where} is local or aws, not {which!r}")
    return which


def choose(which: str) -> None:
    """Keep the choice for all commands and notebooks of this project."""
    _choice().parent.mkdir(parents=True, exist_ok=True)
    if which == LOCAL:
        _choice().unlink(missing_ok=True)
    else:
        _choice().write_text(f"{which}\n", encoding="utf-8")


def _choice() -> Path:
    return project.WORK / "target"


def settings(endpoint_url: str) -> dict[str, str]:
    """The environment variables by which boto3 finds the local cloud, and nothing else."""
    hosts = [h for h in os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")).split(",") if h]
    if "127.0.0.1" not in hosts:
        hosts.append("127.0.0.1")
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        # The learner's own files may name a profile, a region or another endpoint.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": ",".join(hosts),
        "no_proxy": ",".join(hosts),
        "PATH": search_path(),
    }


def search_path() -> str:
    """PATH, with the folder of this Python's programs, `lab` among them."""
    binaries = str(Path(sys.executable).parent)
    search = os.environ.get("PATH", os.defpath)
    if binaries not in search.split(os.pathsep):
        search = os.pathsep.join([binaries, search])
    return search


def apply(endpoint_url: str, environment: MutableMapping[str, str]) -> None:
    """Change the environment so that boto3 talks to the local cloud."""
    for key in list(environment):
        if key in _MISLEADING or key.startswith(_MISLEADING_OF_SERVICES):
            del environment[key]
    environment.update(settings(endpoint_url))


def leave(environment: MutableMapping[str, str]) -> None:
    """Take back what `apply` has set, such as in a terminal after `lab env` or in JupyterLab, so that boto3
    finds the learner's own credentials. Variables that the learner has set stay as they are.
    """
    if environment.get("AWS_CONFIG_FILE") != os.devnull:
        return
    for key in LOCAL_ONLY:
        environment.pop(key, None)


def keep_to(endpoint_url: str, access_key_id: str, secret_access_key: str) -> None:
    """Point boto3 at this one cloud for as long as the process lives, as the owner of the key."""
    global _only
    apply(endpoint_url, os.environ)
    os.environ |= {"AWS_ACCESS_KEY_ID": access_key_id, "AWS_SECRET_ACCESS_KEY": secret_access_key}
    _only = endpoint_url


def running_endpoint() -> str | None:
    """Return the address of a local cloud that answers now: AWS_ENDPOINT_URL's, or this project's own."""
    given = os.environ.get("AWS_ENDPOINT_URL")
    if given:
        address = urlsplit(given)
        if address.hostname in ("127.0.0.1", "localhost") and cloud_state.cloud_answers(
            address.port or 80
        ):
            return given
    state = cloud_state.running()
    if state:
        return state.endpoint_url
    server = find_server(project.CLOUD)  # `lab cloud`
    if server and cloud_state.cloud_answers(server.port):
        return f"http://127.0.0.1:{server.port}"
    return None


def stays() -> bool:
    """Whether `cloud` points to one that is there before and after it: AWS, or a local one that runs."""
    return name() == AWS or running_endpoint() is not None


def aws_words() -> str:
    """The target aws in words; AWS_ENDPOINT_URL, which leads elsewhere than to AWS, is named."""
    environment = dict(os.environ)
    leave(environment)
    elsewhere = environment.get("AWS_ENDPOINT_URL")
    return f"the AWS at {elsewhere} (AWS_ENDPOINT_URL)" if elsewhere else "your AWS account"


def account() -> str:
    """Whose cloud boto3 is pointed at, in words: account, region, and who asks. Raises botocore's errors."""
    import boto3

    identity = boto3.client("sts").get_caller_identity()
    region = boto3.client("s3").meta.region_name
    return f"account {identity['Account']}, region {region}, as {identity['Arn']}"


@contextlib.contextmanager
def cloud() -> Iterator[str]:
    """Point boto3 at the target, for one command, and yield a sentence that says which it is.

    A local cloud that runs already is used; else one is started, and ended on the way out.
    """
    _tag_what_is_made()
    if _only:
        yield f"the local cloud at {_only}"
        return
    before = dict(os.environ)
    try:
        if name() == AWS:
            leave(os.environ)
            yield aws_words()
            return
        endpoint = running_endpoint()
        if endpoint:
            apply(endpoint, os.environ)
            yield f"the local cloud at {endpoint}"
            return
        from localcloud import LocalCloud

        with LocalCloud(port=0) as own:
            apply(own.endpoint_url, os.environ)
            yield f"a local cloud of its own at {own.endpoint_url}"
    finally:
        os.environ.clear()
        os.environ.update(before)


def enter_notebook() -> str:
    """Point this kernel's boto3 at the target for as long as the kernel lives; say which it is."""
    _tag_what_is_made()
    if name() == AWS:
        leave(os.environ)
        return _aws_notebook_words()
    endpoint = running_endpoint()
    if endpoint is None:
        from localcloud import LocalCloud

        own = LocalCloud(port=0).start()
        atexit.register(own.stop)
        endpoint = own.endpoint_url
    apply(endpoint, os.environ)
    return f"This notebook works on the local cloud at {endpoint}"


def _aws_notebook_words() -> str:
    """What `lab target aws` has shown, once more, before a notebook's first cell makes something."""
    from botocore.exceptions import BotoCoreError, ClientError

    from . import preflight
    from .cloud_errors import explain

    stage = Path(os.environ.get("JPY_SESSION_NAME", "")).stem
    lines = [f"This notebook works in {aws_words()}."]
    try:
        lines += [f"{found.sign} {found.words}" for found in preflight.look([stage])]
    except (BotoCoreError, ClientError) as error:
        lines.append(f"✗ {explain(error)}")
    return "\n".join([*lines, "`lab target local` and a restart of the kernel lead back."])


def _tag_what_is_made() -> None:
    from . import tagging  # it loads boto3, which takes a third of a second

    tagging.install()
