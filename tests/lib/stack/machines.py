# SPDX-License-Identifier: Apache-2.0
"""The machine room: compute hosts, and the switch of their power.

A host is its nova-compute with all that it has started, or (tests/lib/real) a PID
namespace, in which more than that runs: power off is kill -9, and the power is on for
as long as a process lives, or when its nova-compute alone has crashed.
Whoever switches (a test, the Redfish emulator, the IPMI simulator's script) does it
here, in whatever process, so that there is one log of it. As a program, it is
``ipmi_sim``'s chassis control, or a witness of the trigger.

Imports next to nothing: it is a program that runs at each look at a host's power.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.lib.processes import beside, kill_group, members

ON, OFF = "On", "Off"

WITNESS = "witness"

STARTER = "starter"
"""The socket in the room on which hosts are asked for (compute.py)."""

WARM = "STACK_GUESTS_RUN"
"""In the environment of a nova-compute that was started again on a host that had
power all the time: its guests still run."""


class Machine:
    """One host. All of its state is in its folder.

    :ivar records: what its nova-compute writes of the servers on it (driver.py).
    """

    def __init__(self, room: Path, host: str) -> None:
        self.name = host
        self.folder = room / host
        self.records = self.folder / "records"
        self.log = self.folder / "nova-compute.log"
        self.conf_file = self.folder / "nova.conf"
        self._room = room

    # What is true.

    @property
    def pid(self) -> int:
        """Of the group of its first process, with which all others end; 0 if it never
        ran."""
        return self._pids[0]

    @property
    def compute_pid(self) -> int:
        """Of its nova-compute's group: the same, if there is nothing else."""
        return self._pids[-1]

    @property
    def _pids(self) -> list[int]:
        try:
            return [int(pid) for pid in (self.folder / "pid").read_text().split()]
        except FileNotFoundError:
            return [0]

    @property
    def started_at(self) -> float:
        """When it, or its nova-compute alone, was last started; 0.0: never."""
        pid = self.folder / "pid"
        return pid.stat().st_mtime if pid.exists() else 0.0

    @property
    def alive(self) -> bool:
        """Whether its power is on; it may be hung, or have lost its nova-compute."""
        return self._crashed.exists() or bool(self.pid and members(self.pid))

    @property
    def runs(self) -> bool:
        """Whether its nova-compute runs, or is hung."""
        return bool(self.compute_pid and members(self.compute_pid))

    def processes(self) -> list[int]:
        """All that run on it."""
        return beside(self.pid) if self.alive else []

    @property
    def _crashed(self) -> Path:
        return self.folder / "crashed"

    # What its devices say and do.

    def shown_power(self) -> str:
        """What its BMC says: the truth, or a lie."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "lie").read_text()
        return ON if self.alive else OFF

    def order(self, power: str, by: str) -> None:
        """What its BMC does when asked to; nothing while it lies."""
        if (self.folder / "lie").exists():
            self._write("ignored", by)
        elif power == ON:
            self.start(by)
        else:
            self.kill(by)

    def lie(self, power: str | None) -> None:
        """Let its BMC say a power state, and do nothing; None: the truth again."""
        if power is None:
            (self.folder / "lie").unlink(missing_ok=True)
        else:
            (self.folder / "lie").write_text(power)

    # What can happen to it.

    def start(self, by: str = "test") -> None:
        """Switch its power on, or start its nova-compute again where that alone has
        crashed; return at once. Nothing happens if it runs."""
        with self._lock():
            if self.runs:
                return
            warm = self._crashed.exists()
            self._ask(self._room / STARTER, warm)
            self._crashed.unlink(missing_ok=True)
            self._write("restarted" if warm else "on", by)

    def _ask(self, door: Path, warm: bool) -> None:
        """Have its nova-compute started by who listens behind that door."""
        with socket.socket(socket.AF_UNIX) as starter:
            starter.connect(str(door))
            order = {"host": self.name, "warm": warm}
            starter.sendall(json.dumps(order).encode() + b"\n")
            (self.folder / "pid").write_text(starter.makefile().readline())

    def kill(self, by: str = "test") -> None:
        """Cut its power; return when nothing of it runs any more."""
        with self._lock():
            was_on, pid = self.alive, self.pid
            if pid:
                kill_group(pid)
            self._crashed.unlink(missing_ok=True)
            self._write("off" if was_on else "off already", by)

    def crash(self) -> None:
        """kill -9 its nova-compute alone: the power stays on, and its guests run."""
        with self._lock():
            if self.runs:
                self._crashed.touch()
                kill_group(self.compute_pid)
                self._write("crashed", "test")

    def destroy(self, server: str) -> None:
        """Its administrator destroys a guest there that Nova does not know of."""
        line = {"at": time.time(), "host": self.name, "event": "gone"}
        append(self.records, {**line, "server": server})

    def freeze(self) -> None:
        """It hangs, with its power on (SIGSTOP)."""
        self._signal(signal.SIGSTOP, self.processes())
        self._write("frozen", "test")

    def thaw(self) -> None:
        if self.runs:
            self._signal(signal.SIGCONT, self.processes())
            self._write("thawed", "test")

    def _signal(self, number: signal.Signals, processes: list[int]) -> None:
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def restart(self) -> None:
        self.kill()
        self.start()

    def _write(self, event: str, by: str) -> None:
        append(
            self._room / "power",
            {"at": time.time(), "host": self.name, "event": event, "by": by},
        )

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def append(path: Path, line: dict[str, Any]) -> None:
    """Add a line of JSON to a file that several processes write to."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, json.dumps(line).encode() + b"\n")
    finally:
        os.close(handle)


def read(path: Path) -> list[dict[str, Any]]:
    """The lines that append() has written; none if there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def chassis(room: Path, host: str, arguments: list[str]) -> None:
    """Serve ipmi_sim: ``MC get power``, ``MC set power 0``, ``MC set reset 1``..."""
    machine = Machine(room, host)
    _, verb, *rest = arguments
    if verb == "get":
        for what in rest:
            is_on = what == "power" and machine.shown_power() == ON
            print(f"{what}:{int(is_on)}")
        return
    for what, value in zip(rest[::2], rest[1::2], strict=True):
        if what == "power":
            machine.order(ON if value == "1" else OFF, "ipmi")


def main(room: str, host: str, *arguments: str) -> int:
    """:returns: the exit code; for WITNESS, 0 says alive, and 1 dead."""
    if arguments == (WITNESS,):
        return 0 if Machine(Path(room), host).alive else 1
    chassis(Path(room), host, [*arguments])
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
