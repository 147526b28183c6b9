# SPDX-License-Identifier: Apache-2.0
"""A compute host, with what only a real one has: libvirt, and guests that live on."""

import contextlib
import signal
import subprocess
import time
from pathlib import Path

from tests.lib.errors import ProgramError
from tests.lib.real.namespaces import IN_NET
from tests.lib.real.place import Place
from tests.lib.stack.machines import Machine
from tests.lib.waiting import PATIENCE


class RealMachine(Machine):
    """One host (namespaces.py).

    :ivar place: where all of it lies.
    """

    @property
    def place(self) -> Place:
        return Place.of(self._room, self.name)

    def guests(self) -> dict[str, int]:
        """The pids of the QEMUs that run on it, hung or not, by the server's id."""
        lines = {pid: _command(pid) for pid in self.processes()}
        return {
            words[words.index("-uuid") + 1]: pid
            for pid, words in lines.items()
            if "qemu-system" in words[0] and "-uuid" in words
        }

    def enter(self, *command: str) -> str:
        """Run a command there; return what it prints."""
        where = ["nsenter", "--target", str(self.pid), "--mount", "--uts", "--pid"]
        done = subprocess.run(
            [*where, *IN_NET, *command], capture_output=True, text=True, timeout=60
        )
        if done.returncode:
            raise ProgramError(f"{self.name}: {' '.join(command)}: {done.stderr}")
        return done.stdout

    def destroy(self, server: str) -> None:
        """As there; it may be no more than defined, or not that."""
        if self.alive:
            for verb in ("destroy", "undefine"):
                with contextlib.suppress(ProgramError):
                    self.enter("virsh", verb, server)
            if server in self.guests():
                raise ProgramError(f"{self.name}: {server} cannot be destroyed")
        super().destroy(server)

    # What can happen to it.

    def hang(self, guests: bool = True) -> None:
        """It hangs (SIGSTOP); its guests do, too, or go on."""
        alone = set() if guests else set(self.guests().values())
        self._signal(
            signal.SIGSTOP, [pid for pid in self.processes() if pid not in alone]
        )
        self._write("frozen" if guests else "frozen but guests", "test")

    def split(self) -> None:
        """kill -9 of nova-compute and libvirt: its guests go on, and nobody rules."""
        self.crash()
        with self._lock():
            libvirt = [p for p in self.processes() if "libvirtd" in _command(p)[0]]
            self._signal(signal.SIGKILL, libvirt)
            end = time.monotonic() + PATIENCE
            while set(libvirt) & set(self.processes()):
                if time.monotonic() > end:
                    raise ProgramError(f"{self.name}: libvirtd survives kill -9")
                time.sleep(0.01)
            self._write("libvirt crashed", "test")


def _command(pid: int) -> list[str]:
    """The words of a process's command; of one that has ended, an empty one."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return [""]
