# SPDX-License-Identifier: Apache-2.0
"""What all parts of a stack share: its folder, its hosts, how programs are run."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.lib import ports
from tests.lib.cloud.hardware import Size
from tests.lib.cloud.stubs import PROJECT, USER
from tests.lib.errors import ProgramError
from tests.lib.stack.programs import Program

PASSWORD = "any"  # as tests.lib.cloud.config.clouds_yaml() has it

ZONES = {
    **dict.fromkeys(["a1", "a2", "a8", "a9"], "nfs-a"),
    **dict.fromkeys(["b1", "b2", "b8", "b9"], "nfs-b"),
}
RESERVE = ("a8", "a9", "b8", "b9")


@dataclass(frozen=True)
class Pace:
    """Seconds that options of Nova have; quick, unless a test says otherwise.

    :ivar rpc_response_timeout: so long a service waits for one that was killed, and is
        silent meanwhile: not as long as a host that is held for dead, as
        docs/trigger.md says.
    """

    report_interval: int = 2
    service_down_time: int = 8
    rpc_response_timeout: int = 5


NOVAS = Pace(10, 60, 60)
"""By default."""


@dataclass(frozen=True)
class Layout:
    """What is built.

    :ivar zones: the storage zone of each host; all of them are protected.
    :ivar reserve: which of them are failover hosts.
    :ivar token_seconds: how long keystone's tokens hold.
    :ivar pace: of Nova.
    """

    zones: Mapping[str, str] = field(default_factory=lambda: ZONES)
    reserve: tuple[str, ...] = RESERVE
    size: Size = field(default_factory=Size)
    token_seconds: int = 3600
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True)
class Site:
    """One stack's place on this machine.

    :ivar environment: of all its programs, with the keeper's mark.
    """

    folder: Path
    layout: Layout
    environment: Mapping[str, str]

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def room(self) -> Path:
        """The machine room's folder."""
        return self.folder / "machines"

    def program(
        self,
        name: str,
        command: list[str],
        ready: Callable[[Program], bool],
        **environment: str,
    ) -> Program:
        """A program of ours."""
        return Program(
            name, command, self.logs, {**self.environment, **environment}, ready
        )

    def web(
        self, name: str, module: str, port: int, *arguments: str, **environment: str
    ) -> Program:
        """A service of OpenStack, served as a web server would."""
        serve = [sys.executable, "-m", "tests.lib.stack.serve"]
        command = [*serve, module, str(port), *arguments]
        return self.program(name, command, lambda _: ports.listens(port), **environment)

    def manage(self, module: str, config: Path, *commands: list[str]) -> None:
        """Run commands of nova-manage or keystone-manage.

        :raises ProgramError: one failed; it names the log.
        """
        arguments = [sys.executable, "-m", "tests.lib.stack.manage", module]
        for command in commands:
            arguments += ["--", f"--config-file={config}", *command]
        log = self.logs / f"{module}.log"
        with log.open("wb") as out:
            done = subprocess.run(
                arguments, stdout=out, stderr=out, env=dict(self.environment)
            )
        if done.returncode:
            tail = log.read_text(errors="replace")[-2000:]
            raise ProgramError(f"{module} failed; {log}:\n{tail}")


def script(name: str) -> str:
    """The path of a program that is installed beside this Python."""
    return str(Path(sys.executable).with_name(name))


def environment(mark: Mapping[str, str]) -> dict[str, str]:
    """Of all programs: ours, without what would lead them to another cloud."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
    return {
        **kept,
        **mark,
        # The programs of this folder are found by their modules.
        "PYTHONPATH": str(Path(__file__).parents[3]),
        # eventlet, which Nova's releases bring, warns of itself wherever it is found.
        "PYTHONWARNINGS": "ignore",
    }


def login(identity: str) -> dict[str, str]:
    """The options of the administrator's password, for a section of a conf file."""
    return {
        "auth_type": "password",
        "auth_url": f"{identity}/v3",
        "username": str(USER["name"]),
        "password": PASSWORD,
        "project_name": str(PROJECT["name"]),
        "user_domain_id": "default",
        "project_domain_id": "default",
    }


def answers(url: str) -> bool:
    """Whether a service answers there, with anything but a failure."""
    try:
        status: int = requests.get(url, timeout=5).status_code
    except requests.RequestException:
        return False
    return status < 500
