# SPDX-License-Identifier: Apache-2.0
"""Programs of the system's packages (bindep.txt)."""

import os
import shutil

from tests.lib.errors import ProgramError

SBIN = "/usr/sbin:/sbin:/usr/local/sbin"


def find(name: str, package: str, extra_path: str = "") -> str:
    """The path of a program. :raises ProgramError: it names the package."""
    path = os.pathsep.join((os.environ.get("PATH", ""), SBIN, extra_path))
    found = shutil.which(name, path=path)
    if found is None:
        raise ProgramError(f"{name} is needed: apt-get install {package}")
    return found
