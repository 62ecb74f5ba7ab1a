"""What Lambda's Python runtime runs first: it sets the search path and hands over to awslambdaric.

Copied into the runtime's folder. Its arguments are the folders that stand for /opt and for the code,
because they have other names where the machine offers no mount namespaces.
Order of the path: "Working with .zip file archives for Python Lambda functions".
"""

import os
import site
import sys

opt = sys.argv.pop(1)
task_root = os.environ["LAMBDA_TASK_ROOT"]
version = f"python{sys.version_info.major}.{sys.version_info.minor}"
# sys.path[0], this file's folder, goes; PYTHONPATH, which is the same folder by default, stays.
sys.path[:1] = [task_root, f"{opt}/python/lib/{version}/site-packages", f"{opt}/python"]
# Started with -S, so that packages of the machine's own Python are out of sight.
site.setquit()
site.sethelper()

from awslambdaric.__main__ import main  # noqa: E402

main([__file__, os.environ["_HANDLER"]])
