"""CloudFormation's YAML, read without a way to Python.

moto reads templates by PyYAML's Loader, to which a tag such as !!python/object/apply:os.system is a call: a
template, and so what somebody hands in, could run anything in this process.
"""

from types import SimpleNamespace
from typing import Any

import yaml
from moto.cloudformation import models, responses
from moto.cloudformation.utils import yaml_tag_constructor


class TemplateLoader(yaml.SafeLoader):
    """YAML's own types, and CloudFormation's short forms, such as !Ref."""


def _short_form(loader: TemplateLoader, name: str, node: yaml.Node) -> Any:
    return yaml_tag_constructor(loader, f"!{name}", node)


TemplateLoader.add_multi_constructor("!", _short_form)
# What moto's two modules use of yaml; before each template they add a constructor of all tags to the loaders.
models.yaml = responses.yaml = SimpleNamespace(
    load=yaml.load, Loader=TemplateLoader, add_multi_constructor=lambda *_: None
)
