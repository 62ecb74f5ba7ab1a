"""Every template passes the resource schemas and a kept set of security rules, with nothing switched off."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEMPLATES = sorted(
    [*(ROOT / "cloudformation").glob("*.yaml"), *(ROOT / "solutions").rglob("template.yaml")]
)


def names(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("template", TEMPLATES, ids=names)
def test_schemas(template):
    linter = Path(sys.executable).with_name("cfn-lint")
    result = subprocess.run([linter, template], capture_output=True, text=True, timeout=300)
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("template", sorted((ROOT / "cloudformation").glob("*.yaml")), ids=names)
def test_security_rules(template):
    if template.name != "classroom.yaml":
        assert security_faults(template) == []


def test_a_learners_policies_are_wide_and_the_rest_of_their_template_is_not():
    """Who does the course makes roles, and things without a name: the rules say so, of nothing else."""
    template = ROOT / "cloudformation" / "classroom.yaml"
    wide = {
        "GenericResourceWildcardPolicyRule", "IAMRoleWildcardActionOnPolicyRule",
        "PrivilegeEscalationRule", "WildcardResourceRule",
    }  # fmt: skip
    for fault in security_faults(template):
        rule, _, reason = fault.partition(": ")
        assert rule in wide, fault
        assert "LearnerPolicy" in reason or "LearnerBoundary" in reason, fault


def test_security_rules_see_a_hole(tmp_path):
    text = (ROOT / "cloudformation" / "image-resizer.yaml").read_text()
    holed = tmp_path / "holed.yaml"
    holed.write_text(text.replace("Action: s3:GetObject", "Action: '*'"))
    assert security_faults(holed)


def security_faults(template):
    """What CFRipper has against a template: the rules' names and words."""
    scanner = Path(sys.executable).with_name("cfripper")
    command = [scanner, template, "--resolve", "--format", "json"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    found = json.loads(result.stdout)
    return [f"{failure['rule']}: {failure['reason']}" for failure in found["failures"]]
