# SPDX-License-Identifier: Apache-2.0
"""A wall clock of its own for the Python of one process, which can be set from outside.

Python imports this at its start, where this folder is on its path. Debian's libfaketime
would do it for all of a process, but breaks Python's sleep (EINVAL).
"""

import os
import time
from pathlib import Path

_real = time.time
_ahead = Path(os.environ["STACK_CLOCK"])


def _time() -> float:
    return _real() + float(_ahead.read_text())


time.time = _time
