"""Which functions a notification configuration calls: a check need not wait for what can't come."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any


def functions_called(configuration: Mapping[str, Any], name: str, key: str) -> list[str]:
    """The ARNs of the functions that are called for an event, such as ObjectCreated:Put, of a key.

    "Configuring event notifications using object key name filtering" in the Amazon S3 User Guide: a filter
    holds a prefix, a suffix or both, taken literally.
    """
    found = []
    for each in configuration.get("LambdaFunctionConfigurations", ()):
        rules = each.get("Filter", {}).get("Key", {}).get("FilterRules", ())
        texts = {rule["Name"].lower(): rule["Value"] for rule in rules}
        fits = key.startswith(texts.get("prefix", "")) and key.endswith(texts.get("suffix", ""))
        if fits and any(fnmatchcase(f"s3:{name}", pattern) for pattern in each["Events"]):
            found.append(each["LambdaFunctionArn"])
    return found
