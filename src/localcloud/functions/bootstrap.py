"""What Lambda's Python runtime runs first: it sets the search path and hands over to awslambdaric.

Copied into the runtime's folder. Order of the path: "Working with .zip file archives for Python
Lambda functions".
"""

import os
import site
import sys


def run(opt: str) -> None:
    """Become the runtime of the function that the environment variables name; `opt` is the folder
    that stands for /opt, which has another name where the machine offers no mount namespaces.
    """
    # Started with -S, so that packages of the machine's own Python are out of sight.
    site.setquit()
    site.sethelper()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # sys.path[0], this file's folder, goes; PYTHONPATH, which is the same folder by default, stays.
    sys.path[:1] = [
        os.environ["LAMBDA_TASK_ROOT"],
        f"{opt}/python/lib/{version}/site-packages",
        f"{opt}/python",
    ]
    sys.argv = [__file__, os.environ["_HANDLER"]]
    from awslambdaric.__main__ import main

    main(sys.argv)


if __name__ == "__main__":
    run(sys.argv[1])
