# SPDX-License-Identifier: Apache-2.0
"""An older version of the trigger, made from this repository's history.

It runs with the libraries that are here.
"""

from tests.integration.crash.conftest import Site  # isort: skip  (prepares for Nova)

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.lib import rig
from tests.lib.cloud.config import Conf
from tests.lib.errors import ProgramError

COMMIT = "e2f52bf34f83ef808254d78dcf3f7a345795262b"
"""Of migration 004."""

_TREE = Path(__file__).parents[3]


def installed(folder: Path) -> Path:
    """Where it was installed, without its libraries.

    :raises ProgramError: there is no such history.
    """
    source, target = folder / "source", folder / "installed"
    source.mkdir(parents=True)
    archive = ["git", "-C", str(_TREE), "archive", COMMIT]
    done = subprocess.run(archive, capture_output=True)
    if done.returncode:
        raise ProgramError(
            f"the old trigger is made from commit {COMMIT[:7]} of this repository, and "
            f"git does not give it: {done.stderr.decode(errors='replace').strip()}"
        )
    subprocess.run(["tar", "x", "-C", source], input=done.stdout, check=True)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    pip += ["--no-build-isolation", f"--target={target}", str(source)]
    subprocess.run(pip, check=True, env={**os.environ, "PBR_VERSION": "0.1"})
    return target


def trigger(where: Path, folder: Path, site: Site, conf: Conf) -> rig.Trigger:
    """:param where: it is installed. :param folder: for its files; is made."""
    folder.mkdir()
    found = rig.Trigger(folder, site.cloud.clouds_yaml, conf, where / "bin")
    found.environment["PYTHONPATH"] = str(where)
    site.bmcs.fencing_file(found.fencing_file, site.address)
    return found


def contents(trigger: rig.Trigger) -> list[str]:
    """All of its journal, as SQL."""
    connection = sqlite3.connect(trigger.journal)
    found = list(connection.iterdump())
    connection.close()
    return found
