"""A new execution environment for a function: what it kept in memory and in /tmp is gone."""

import secrets

from .deployment import Deployment


def renew(deployment: Deployment, function: str) -> None:
    """Have the function's next call run in a new environment: a function whose variables change gets one."""
    functions = deployment.client("lambda")
    found = functions.get_function_configuration(FunctionName=function)
    variables = found.get("Environment", {}).get("Variables", {})
    functions.update_function_configuration(
        FunctionName=function,
        Environment={"Variables": {**variables, "LAB_KIT_ENVIRONMENT": secrets.token_hex(4)}},
    )
    deployment.wait_until_active(function)
