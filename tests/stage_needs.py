"""What each stage asks of the cloud: its API calls, the IAM actions they need, what of it AWS bills.

    python tests/stage_needs.py [KEY…]     records it anew, of all stages or of these: `make policy`

It runs the solutions under the checks, the notebooks as on AWS, `lab demo`, `lab deploy` and `lab destroy` on
a local cloud that hears each request (recording.py). It writes src/labkit/stage_needs.json, which `lab check`
reads before it works in an AWS account, docs/learner-policy*.json, the policies of somebody who may do the
course and nothing else, and the table that is made of these. Then it does all of it again as a user with
exactly these policies (`--prove` does only this). test_learner_policy.py does so with a sample, and
test_learner_refusals.py tries what they must refuse.
"""

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import boto3
import nbformat
from nbclient import NotebookClient

import test_destroy
from labkit import demo, deploy, destroy, preflight, project, target
from labkit.authoring import submissions
from labkit.grading.results import StageResult
from labkit.grading.stages import stages
from needed_actions import PREFIX
from needs_documents import NEEDS, POLICIES, write
from recording import Recording

_CELL_S = 180
_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
# They read the local cloud's address: 03 to give its account a new one's concurrency, the others to send to a
# WebSocket API's connections.
_KNOWS_ENDPOINT = ("03", "06", "13")


def begin_as_administrator() -> None:
    """Give this process a local cloud of its own."""
    from localcloud import LocalCloud

    target.apply(LocalCloud(port=0).start().endpoint_url, os.environ)


def begin_as_learner() -> None:
    """The same, and go on as a user of it who may do what docs/learner-policy-*.json allow."""
    begin_as_administrator()
    become_learner(*(path.read_text(encoding="utf-8") for path in POLICIES.values()))


def become_learner(*policies: str) -> None:
    """Go on as a user of an account who may do what the policies say, and no more."""
    iam = boto3.client("iam")
    iam.create_user(UserName="learner")
    for number, policy in enumerate(policies):
        made = iam.create_policy(PolicyName=f"learner-{number}", PolicyDocument=policy)["Policy"]
        iam.attach_user_policy(UserName="learner", PolicyArn=made["Arn"])
    key = iam.create_access_key(UserName="learner")["AccessKey"]
    endpoint, region = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_DEFAULT_REGION"]
    target.leave(os.environ)
    os.environ |= {
        "LAB_TARGET": "aws", "AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }  # fmt: skip
    boto3.DEFAULT_SESSION = None


def recorded(submission: submissions.Submission) -> tuple[StageResult, dict]:
    """Grade a submission in this process, and what it asked of the cloud."""
    # The checks keep their clients, and those of an earlier run have an earlier user's keys.
    if deployment := sys.modules.get("checks.deployment"):
        deployment.client.cache_clear()
        deployment.invoker.cache_clear()
    with Recording() as recording:
        result = submissions.graded(submission)
    return result, recording.as_json()


def run_notebook(path: Path) -> dict:
    """Run a notebook as on AWS, with the solution in lab/, and return what it asked of the cloud.

    `%check` is left out, which is recorded for itself. Raises CellExecutionError.
    """
    with tempfile.TemporaryDirectory() as folder, Recording() as recording:
        root = Path(folder)
        for name in ("assets", "checks", "cloudformation", "solutions", "src"):
            (root / name).symlink_to(project.ROOT / name)
        shutil.copytree(project.SOLUTIONS, root / "lab")
        (root / "notebooks").mkdir()
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if not cell.source.startswith("%check")]
        environment = dict(os.environ)
        if not path.name.startswith(_KNOWS_ENDPOINT):
            # boto3 finds the address where a notebook does not look: it takes this for AWS.
            config = f"[default]\nendpoint_url = {environment.pop('AWS_ENDPOINT_URL')}\n"
            (root / "config").write_text(config, encoding="utf-8")
            environment["AWS_CONFIG_FILE"] = str(root / "config")
        resources = {"metadata": {"path": str(root / "notebooks")}}
        client = NotebookClient(notebook, timeout=_CELL_S, resources=resources)
        client.execute(env=environment)
    return recording.as_json()


def _checks(key: str) -> dict:
    result, needed = recorded(submissions.Submission("solution", key, "solution"))
    faults = [f"{check.name}: {check.seen}" for check in result.checks if check.outcome != "passed"]
    if faults or result.fault:
        raise RuntimeError(f"{key}: {faults or result.fault}")
    return needed


def _notebook(key: str) -> dict:
    return run_notebook(project.NOTEBOOKS / f"{key}.ipynb")


def _notebook_with_all_rights(key: str) -> dict:
    become_learner(json.dumps(_EVERYTHING))
    return _notebook(key)


def _commands(_: str) -> dict[str, dict]:
    """What `lab demo`, `lab deploy`, `lab destroy` and `lab target aws` ask for; destroy finds one thing of
    each kind.
    """
    os.chdir(Path(__file__).parent)
    with Recording() as recording:
        assert demo.run(as_json=False, keep=True, yes=True) == 0
        of_demo = recording.as_json()
    of_deploy = _deploy()
    exec(test_destroy.MAKES.replace("made-", f"{PREFIX}made-"), {})
    with Recording() as recording:
        assert destroy.run(yes=True, as_json=False) == 0
        found = recording.as_json()
    # It looks at all that is in the account, to see the tags.
    for action, resources in found["actions"].items():
        if re.match(r"\w+:(List|Get|Describe)", action):
            resources[:] = ["*"]
    become_learner(json.dumps(_EVERYTHING))
    with Recording() as recording, target.cloud():
        assert all(finding.sign == "✓" for finding in preflight.look(["demo"]))
        looked = recording.as_json()
    return {"demo": of_demo, "deploy": of_deploy, "destroy": found, "target": looked}


def _deploy() -> dict:
    """What `lab deploy` asks for, and CloudFormation for it by the nested templates."""
    with Recording() as recording:
        assert deploy.run(bucket=None, values=[], yes=True, as_json=False) == 0
        for name in ("course", "image-resizer", "api", "concurrency", "bedrock"):
            text = (project.TEMPLATE.parent / f"{name}.yaml").read_text(encoding="utf-8")
            recording.add_stack(text)
        found = recording.as_json()
    with target.cloud():
        [stack] = boto3.client("cloudformation").describe_stacks(StackName=deploy.STACK)["Stacks"]
    chosen = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    return found | {
        "models": {chosen["ModelId"]: ""},
        "reserved": int(chosen["ReservedConcurrency"]),
    }


def _deploy_and_destroy(_: str) -> dict:
    with Recording() as recording:
        assert deploy.run(bucket=None, values=[], yes=True, as_json=False) == 0
        assert destroy.run(yes=True, as_json=False) == 0
    return recording.as_json()


def _all(
    work: Iterable[tuple[Callable[[str], dict], str]], begin: Callable[[], None]
) -> Iterator[tuple[Callable[[str], dict], str, dict]]:
    """Do each in a process with a cloud of its own, two at a time, and tell when it is done."""
    work = list(work)
    alone = {"max_workers": 2, "mp_context": get_context("spawn"), "max_tasks_per_child": 1}
    with ProcessPoolExecutor(**alone, initializer=begin) as pool:
        waiting = [pool.submit(function, key) for function, key in work]
        for (function, key), future in zip(work, waiting, strict=True):
            found = future.result()
            print(f"{key or 'commands'}: {function.__name__.strip('_')}", flush=True)
            yield function, key, found


def record(keys: list[str], known: dict[str, dict]) -> dict[str, dict]:
    """What checks and notebooks of these stages ask for, and the commands; of the others what is known."""
    notebooks = [path.stem for path in sorted(project.NOTEBOOKS.glob("*.ipynb"))]
    work = [(_checks, stage.key) for stage in stages() if stage.key in keys]
    work += [(_notebook_with_all_rights, key) for key in notebooks if key in keys]
    found = dict(known)
    for key in keys:
        found[key] = {}
    for function, key, needed in _all([*work, (_commands, "")], begin_as_administrator):
        if function is _commands:
            found |= {name: {"command": one} for name, one in needed.items()}
        else:
            found[key]["checks" if function is _checks else "notebook"] = needed
    return found


def prove(keys: list[str]) -> list[str]:
    """Do it all again with the learner's policies; return what was refused, in words."""
    work = [(_checks, stage.key) for stage in stages() if stage.key in keys]
    work += [(_notebook, path.stem) for path in sorted(project.NOTEBOOKS.glob("*.ipynb"))
             if path.stem in keys]  # fmt: skip
    return [
        f"{key or 'lab deploy, lab destroy'}: {call} was refused"
        for _, key, needed in _all([*work, (_deploy_and_destroy, "")], begin_as_learner)
        for call in needed["refused"]
    ]


def main(words: list[str]) -> int:
    """`--prove` tries what is written; else it is recorded first. Return 0 if nothing was refused."""
    chosen = [word for word in words if word != "--prove"]
    everything = [path.stem for path in sorted(project.NOTEBOOKS.glob("*.ipynb"))]
    keys = [key for key in everything if not chosen or key in chosen or key[:2] in chosen]
    if "--prove" not in words:
        known = json.loads(NEEDS.read_text(encoding="utf-8")) if chosen else {}
        write(record(keys, known))
    refused = prove(keys)
    print(*refused, sep="\n")
    return len(refused)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
