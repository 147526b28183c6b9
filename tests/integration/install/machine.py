# SPDX-License-Identifier: Apache-2.0
"""This machine, to be set up by root as a page says, and nothing of it stays.

A mount namespace whose system directories are overlays: what is written there is seen
by what runs there, and gone when it ends. Three programs are stand-ins: ``systemctl``,
since no systemd runs here (systemctl.py), ``editor``, who is a person, and ``python3``,
which is the one that runs the tests.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.integration.install.fresh import environment
from tests.lib import packages
from tests.lib.errors import ProgramError

OVERLAID = ("/etc", "/opt", "/root", "/run", "/usr/local", "/var")
"""/root, since a pyenv's Python lies in it, and other users have to run that."""

_OVERLAY = Path(__file__).parents[2] / "lib/overlay.sh"

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_SET_UP = """
set -e
. "$1"
shift
overlay "$@"
chmod 755 /root
# As new, also where somebody has installed the product on the machine itself.
rm -rf /opt/nova-ha-scheduler /etc/nova-ha-scheduler /usr/local/bin/nova-ha* \\
    /etc/*/nova-ha-scheduler* /etc/systemd/system/nova-ha* /run/nova-ha-scheduler \\
    /var/lib/nova-ha-* /var/spool/nova-ha-scheduler /var/log/nova-ha-scheduler
echo ready
exec sleep infinity
"""


class NoMachine(ProgramError):
    """Who runs this may not mount anything: a container, say."""


class Machine:
    """:param pid: of a process in its namespace. :param folder: for files of ours."""

    def __init__(self, pid: int, folder: Path) -> None:
        self._pid, self._folder = pid, folder

    def stand_in(self, name: str, text: str) -> None:
        """Put a program before all others."""
        path = f"/usr/local/sbin/{name}"
        self.run(f"cat > {path} && chmod 755 {path}", text)

    def edits(self, files: Mapping[str, str]) -> None:
        """What the person with the editor makes of files, by their names."""
        for name, text in files.items():
            (self._folder / name).write_text(text)
        self.stand_in("editor", f'#!/bin/sh\ncat {self._folder}/"${{1##*/}}" > "$1"\n')

    def run(self, commands: str, text: str = "", cwd: Path = Path("/")) -> str:
        """Run lines of shell as root until one fails.

        :param text: their standard input.
        :returns: all that they say.
        :raises ProgramError: one has failed.
        """
        done = subprocess.run(
            [
                *_program("nsenter", "--target", str(self._pid), "--mount", "--"),
                *("bash", "-ec", f"cd '{cwd}'\n{commands}"),
            ],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            env={**environment(), "PATH": _PATH},
        )
        if done.returncode:
            ended = f"{commands}\nended with {done.returncode}:\n{done.stdout}"
            raise ProgramError(ended)
        return done.stdout


def _program(name: str, *arguments: str) -> list[str]:
    return [packages.find(name, "util-linux"), *arguments]


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Machine]:
    """:raises NoMachine: there can be none here, and why."""
    layers = folder / "layers"
    layers.mkdir()
    command = ["sh", "-c", _SET_UP, "sh", str(_OVERLAY), str(layers), *OVERLAID]
    process = subprocess.Popen(
        _program("unshare", "--mount", *command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout
        if (said := process.stdout.readline()) != "ready\n":
            raise NoMachine(f"no machine can be made here: {said.strip()}")
        machine = Machine(process.pid, folder)
        machine.stand_in("python3", f'#!/bin/sh\nexec {_python()} "$@"\n')
        systemctl = Path(__file__).with_name("systemctl.py").read_text()
        machine.stand_in("systemctl", f"#!{_python()}\n{systemctl}")
        try:
            yield machine
        finally:
            machine.run("systemctl stop")
    finally:
        process.kill()
        process.wait()


def _python() -> Path:
    """The one that the environment of the tests was made from."""
    return Path(sys.executable).resolve()
