"""Builds the file system that a function sees, inside the namespaces that `unshare` made.

    python namespace_root.py PLAN COMMAND...

The plan is JSON: `root` (an empty folder), `binds` ([source, target] seen read-only), `devices`,
`links` ([target, what it points to]) and `folders` to make. The command is executed in that root.
"""

import json
import os
import subprocess
import sys

from kernel import Kernel


def build(plan: dict) -> None:
    """Make the root and move into it. Raises OSError where the kernel refuses."""
    kernel, root = Kernel(), plan["root"]
    kernel.mount_tmpfs(root, "mode=0755")
    os.chdir(root)
    for source, target in plan["binds"]:
        _place(source, target)
        kernel.bind(source, target[1:])
        kernel.make_read_only(target[1:])
    os.makedirs("dev", exist_ok=True)
    for device in plan["devices"]:
        _place(device, device)
        kernel.bind(device, device[1:])
    for folder in plan["folders"]:
        os.makedirs(folder[1:], exist_ok=True)
    for target, aim in plan["links"]:
        os.symlink(aim, target[1:])
    os.makedirs("proc")
    kernel.mount_proc("proc")
    subprocess.run(["pivot_root", ".", "."], check=True, env={"PATH": "/usr/sbin:/sbin"})
    kernel.detach(".")
    os.chdir("/")
    kernel.make_read_only("/")


def _place(source: str, target: str) -> None:
    """Make what a bind can be put on: a folder, or a file."""
    if os.path.isdir(source):
        os.makedirs(target[1:], exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target[1:]), exist_ok=True)
        open(target[1:], "x").close()


if __name__ == "__main__":
    build(json.loads(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
