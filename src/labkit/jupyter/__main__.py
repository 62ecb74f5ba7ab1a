"""`python -m labkit.jupyter OPTION…`: JupyterLab, which ends when the process that started it has ended.

Its standard input is a pipe that nothing is ever written to. It reports its end when the process at the
other side is gone, however that one died: so no JupyterLab is left behind, on Linux and on macOS.
"""

import os
import signal
import sys
import threading


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)  # JupyterLab then shuts its kernels down


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from jupyterlab.labapp import main

    sys.exit(main())
