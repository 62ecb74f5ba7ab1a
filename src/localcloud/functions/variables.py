"""The environment variables that a Python function sees (recorded from a Python 3.14 function)."""

from .configuration import FunctionConfiguration
from .isolation import View


def base_variables(view: View) -> dict[str, str]:
    """Those that every function has alike, and that a function may set otherwise."""
    return {
        "LANG": "en_US.UTF-8",
        "LC_CTYPE": "C.UTF-8",
        "TZ": ":UTC",
        "SHLVL": "0",
        "PATH": f"{view.lang}/bin:/usr/local/bin:/usr/bin/:/bin:{view.opt}/bin",
        "LD_LIBRARY_PATH": ":".join(
            [f"{view.lang}/lib", "/lib64", "/usr/lib64", view.runtime, f"{view.runtime}/lib",
             view.task_root, f"{view.task_root}/lib", f"{view.opt}/lib"]
        ),
        "PYTHONPATH": view.runtime,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
    }  # fmt: skip


def environment_variables(
    configuration: FunctionConfiguration,
    initialization_type: str,
    view: View,
    credentials: dict[str, str],
    endpoint_url: str,
    runtime_api: str,
    log_stream: str,
) -> dict[str, str]:
    """All of a runtime process's variables; nothing of the server's own environment is among them.

    AWS_ENDPOINT_URL is the one that AWS does not set: by it the function's SDK finds this cloud.
    """
    variables = {
        "AWS_ENDPOINT_URL": endpoint_url,
        **base_variables(view),
        **dict(configuration.environment),
        "_HANDLER": configuration.handler,
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "AWS_REGION": configuration.region,
        "AWS_DEFAULT_REGION": configuration.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{configuration.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": configuration.name,
        "AWS_LAMBDA_FUNCTION_VERSION": configuration.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type,
        "AWS_LAMBDA_LOG_GROUP_NAME": configuration.logging.group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": view.task_root,
        "LAMBDA_RUNTIME_DIR": view.runtime,
        "PWD": view.task_root,
        # The log pipe doubles as the telemetry pipe: the client frames what goes through `logging`.
        "_LAMBDA_TELEMETRY_LOG_FD": "1",
        **credentials,
    }  # fmt: skip
    if view.tmp != "/tmp":
        variables["TMPDIR"] = view.tmp
    if configuration.logging.format == "JSON":
        variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        variables["AWS_LAMBDA_LOG_LEVEL"] = configuration.logging.application_level or "INFO"
    return variables
