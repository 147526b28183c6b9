# SPDX-License-Identifier: Apache-2.0
"""How long people wait for ``nova-ha``: seconds, from its start to its end.

Nearly all of it is imports, so each kind of command stands beside a Python that
imports the libraries which it cannot do without, and ends. Of what asks the cloud,
the time in which the cloud had a request of it is taken off. Of each the fastest run
counts: what else the machine does only ever adds. It adds less to the seconds for
which a command has had a core. Our modules are compiled before, as pip does where they
are installed.
"""

import compileall
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lib.cloud import Cloud  # isort: skip  (prepares the process for Nova)

import nova_ha_scheduler
from bench import cores
from bench.effort import Effort
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.service import startup
from tests.lib import rig
from tests.lib.errors import ProgramError

HOST, SERVER = "host1", "server1"
_ORDER = "--by bench --reason bench"
_CLI = "import cliff.app, cliff.lister, cliff.show"
_JOURNAL = f"{_CLI}, oslo_config.cfg, oslo_log.log, oslo_db.sqlalchemy.enginefacade"
KINDS = {
    "help": (_CLI, ("--help",)),
    "journal": (
        _JOURNAL,
        (
            "health",
            "history list",
            "history events",
            "maintenance list",
            f"abort {HOST} {_ORDER}",
        ),
    ),
    "cloud": (
        f"{_JOURNAL}, openstack",
        ("status", "host list", f"plan {HOST}", f"explain {SERVER}"),
    ),
}
"""What it cannot do without, and the commands."""


@dataclass
class Busy:
    """The time in which a cloud has at least one request of nova-ha.

    :ivar seconds: of requests that have ended.
    """

    seconds: float = 0.0
    _open: int = 0
    _since: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def middleware(self, service: str, application: Any) -> Any:
        def timed(environ: Mapping[str, Any], start: Any) -> Any:
            if not environ.get("HTTP_USER_AGENT", "").startswith("nova-ha"):
                return application(environ, start)
            with self._counted():
                return application(environ, start)

        return timed

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._since = self._since if self._open else time.perf_counter()
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1
                if not self._open:
                    self.seconds += time.perf_counter() - self._since


def measure(effort: Effort, say: Callable[[str], None] = print) -> dict[str, float]:
    """Print a table; return the slowest command of each kind."""
    cores.keep_to_one()
    compileall.compile_dir(Path(nova_ha_scheduler.__file__).parent, quiet=1)
    busy = Busy()
    with (
        tempfile.TemporaryDirectory(prefix="nova-ha-bench-") as folder,
        Cloud(
            Path(folder, "cloud"),
            {"cell1": [HOST]},
            {HOST: "nfs-a"},
            middleware=busy.middleware,
        ) as cloud,
    ):
        cloud.aggregate("protected", {"ha": "true", "storage_zone": "nfs-a"}, [HOST])
        cloud.create(SERVER, cloud.flavor("ha", {"ha": "true"}), host=HOST)
        trigger = rig.Trigger(Path(folder), cloud.clouds_yaml, {})
        trigger.fencing_file.write_text(f"hosts:\n  {HOST}: {{method: manual}}\n")
        Database(startup.load("bench", [trigger.option])).upgrade()
        return _figures(trigger, busy, effort.starts, say)


def _figures(
    trigger: rig.Trigger, busy: Busy, starts: int, say: Callable[[str], None]
) -> dict[str, float]:
    figures: dict[str, float] = {}
    say(f"{'seconds, fastest':24}{'command':>9}{'imports':>9}{'ratio':>8}{'core':>8}")
    for kind, (libraries, commands) in KINDS.items():
        imports = min(_imports(libraries) for _ in range(starts))
        slowest = busiest = 0.0
        for command in commands:
            runs = [_command(trigger, command, busy) for _ in range(starts)]
            seconds, core = (min(run) for run in zip(*runs, strict=True))
            name = command.partition(" --")[0] or command
            say(
                f"{name:24}{seconds:9.3f}{imports:9.3f}"
                f"{seconds / imports:8.2f}{core:8.3f}"
            )
            slowest, busiest = max(slowest, seconds), max(busiest, core)
        figures[f"command_{kind}_s"] = slowest
        figures[f"command_{kind}_ratio_imports"] = slowest / imports
        figures[f"command_{kind}_core_s"] = busiest
    return {name: round(figure, 3) for name, figure in figures.items()}


def _imports(libraries: str) -> float:
    start = time.perf_counter()
    with cores.others():
        subprocess.run([sys.executable, "-W", "ignore", "-c", libraries], check=True)
    return time.perf_counter() - start


def _command(trigger: rig.Trigger, command: str, busy: Busy) -> tuple[float, float]:
    """How long it took, the cloud aside, and for how long it had a core."""
    before, core, start = busy.seconds, _core(), time.perf_counter()
    with cores.others():
        done = trigger.ask(*command.split())
    seconds = time.perf_counter() - start
    if "Traceback" in done.stderr or not done.stdout:
        raise ProgramError(f"nova-ha {command}: {done.stderr}")
    return seconds - (busy.seconds - before), _core() - core


def _core() -> float:
    """Seconds for which the processes that have ended had a core."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
