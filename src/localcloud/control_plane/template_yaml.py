"""CloudFormation's YAML, read without a way to Python.

moto reads templates by PyYAML's Loader, to which a tag such as !!python/object/apply:os.system is a call: a
template, and so what somebody hands in, could run anything in this process.
"""

from types import SimpleNamespace
from typing import Any

import yaml
from moto.cloudformation import models, responses
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.utils import yaml_tag_constructor


class TemplateLoader(yaml.SafeLoader):
    """YAML's own types, and CloudFormation's short forms, such as !Ref.

    Aliases, by which a few lines can stand for more than any memory holds, are refused as by AWS (the words:
    github.com/seeebiii/aws-cloudformation-templates, issue 1).
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The node that comes next. Raises ValidationError where it is an alias."""
        if self.check_event(yaml.AliasEvent):
            words = "Template error: YAML aliases are not allowed in CloudFormation templates"
            raise ValidationError(message=words)
        return super().compose_node(parent, index)


def _short_form(loader: TemplateLoader, name: str, node: yaml.Node) -> Any:
    return yaml_tag_constructor(loader, f"!{name}", node)


TemplateLoader.add_multi_constructor("!", _short_form)
# What moto's two modules use of yaml; before each template they add a constructor of all tags to the loaders.
models.yaml = responses.yaml = SimpleNamespace(
    load=yaml.load, Loader=TemplateLoader, add_multi_constructor=lambda *_: None
)
