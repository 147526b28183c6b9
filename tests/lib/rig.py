# SPDX-License-Identifier: Apache-2.0
"""The trigger and its fence devices beside a cloud, as an operator would run them.

Used by the demo, the benchmark and the tests. Needs no pytest.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import History
from nova_ha_scheduler.service import startup
from tests.lib.cloud.config import CLOUD_NAME, Conf, merge, render
from tests.lib.errors import ProgramError
from tests.lib.processes import Process
from tests.lib.waiting import PATIENCE


class Trigger:
    """A configuration of the trigger with a journal of its own, and its programs.

    :param programs: where these are, if not beside the Python that runs.
    """

    def __init__(
        self,
        folder: Path,
        clouds_yaml: Path,
        conf: Conf,
        programs: Path = Path(sys.executable).parent,
    ) -> None:
        self.conf_file = folder / "nova-ha.conf"
        self.journal = folder / "journal.sqlite"
        self.fencing_file = folder / "fencing.yaml"
        ours: Conf = {
            "cloud": {"name": CLOUD_NAME},
            "database": {"connection": f"sqlite:///{self.journal}"},
            "fencing": {"config_file": self.fencing_file},
            "health": {"directory": folder},
        }
        self.conf_file.write_text(render(merge(ours, conf)))
        self.conf_file.chmod(0o640)
        # eventlet, which Nova's releases bring, warns of itself wherever it is found.
        self.environment = {
            "OS_CLIENT_CONFIG_FILE": str(clouds_yaml),
            "PYTHONWARNINGS": "ignore",
        }
        self._folder = folder
        self._programs = programs
        self._starts = 0

    def start(self) -> Process:
        """Start nova-ha-evacuator; return at once."""
        self._starts += 1
        log = self._folder / f"evacuator-{self._starts}.log"
        command = [self._program("nova-ha-evacuator"), self.option]
        return Process(command, log, self._env)

    @contextlib.contextmanager
    def running(self, seconds: float = 30) -> Iterator[Process]:
        """Run nova-ha-evacuator; it is the active trigger when the block begins.

        :param seconds: how long that may take.
        """
        process = self.start()
        try:
            process.wait_until("nova-ha-evacuator", lambda: is_active(process), seconds)
            yield process
        finally:
            process.stop()

    def nova_ha(self, *arguments: str) -> str:
        """Run the command line; return what it prints."""
        done = self.ask(*arguments)
        if done.returncode:
            raise ProgramError(f"nova-ha {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line, whatever its exit code says."""
        return subprocess.run(
            [self._program("nova-ha"), self.option, *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self._env,
        )

    def history(self) -> History:
        """The journal, read here: cheaper than a process for each look."""
        return History(Database(startup.load("nova-ha", [self.option])))

    def _program(self, name: str) -> str:
        return str(self._programs / name)

    @property
    def option(self) -> str:
        return f"--config-file={self.conf_file}"

    @property
    def _env(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


def is_active(process: Process) -> bool:
    """Whether a trigger has said that it is the active one."""
    return "This trigger is the active one" in process.log.read_text(errors="replace")
