# SPDX-License-Identifier: Apache-2.0
"""Wherever the trigger hangs, a host that dies then is recovered within a bound.

All cases run side by side, each with a journal and a cloud of its own: they wait most
of their time. Of two triggers one is active, and hangs; the other one is sound.
"""

from tests.integration.leadership.conftest import DEAD, LEASE, Site  # isort: skip

import configparser
import contextlib
import io
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.service import startup
from tests.integration.hang import calls, trigger
from tests.integration.hang.cases import BY_PEERS, CALLS, COMMANDS, HANGS, Case
from tests.lib import certificates, ports
from tests.lib.backends import Backend
from tests.lib.recorder import Nova, Recorder

PATIENCE = 4 * LEASE
"""Seconds after which a loop that stands still leaves the lease."""

RECOVERED = 240.0
"""Seconds from the hang to the recovery, on a machine that has other work."""

ENDED = 240.0

HOST = DEAD[0]

_PIPE = 4096
"""Bytes that are written to a pipe at once, or not at all."""

_CONF = """
[fencing]
power_off_timeout = 1
request_timeout = 1
[detection]
poll_interval = 1
"""

_AGENT = """#!/bin/sh
case $(cat) in *action=metadata*) cat << 'END'
<?xml version="1.0" ?><resource-agent name="x"><parameters>
<parameter name="ip"/></parameters><actions><action name="off"/>
<action name="status"/><action name="reboot"/></actions></resource-agent>
END
exit 0;; esac
echo 'Status: OFF'; exit 2
"""


def test_each_call_has_its_case() -> None:
    found = calls.calls()
    unknown = {place: sorted(found[place]) for place in found.keys() - CALLS.keys()}
    assert not unknown, (
        "leaves the process, and has no case in tests/integration/hang/cases.py"
    )
    assert not CALLS.keys() - found.keys(), "is called no more"
    known = {*HANGS, *BY_PEERS, COMMANDS}
    assert set(CALLS.values()) <= known
    assert {case.at for case in HANGS.values()} - {""} <= CALLS.keys()


@pytest.mark.parametrize("test", BY_PEERS.values())
def test_what_stood_before_still_stands(test: str) -> None:
    file, _, name = test.partition("::")
    text = (Path(__file__).parents[1] / file).read_text()
    assert f"def {name}(" in text


@pytest.mark.parametrize(
    "code",
    [
        "import socket\ndef f(): socket.create_connection(('h', 1))",
        "def f(session): session.post('http://h')",
        "from functools import partial\ndef f(x): return partial(x.request, 'GET')",
        "import subprocess as s\ndef f(): s.run(['true'])",
        "from pathlib import Path\ndef f(p): Path(p).read_text()",
        "import os\ndef f(): os.rename('a', 'b')",
        "def f(connection): connection.execute('x')",
        "def f(): open('x')",
    ],
)
def test_a_new_call_is_seen(tmp_path: Path, monkeypatch: Any, code: str) -> None:
    path = tmp_path / "new.py"
    path.write_text(code)
    monkeypatch.setattr(calls, "process", lambda: {"nova_ha_scheduler.new": path})
    assert calls.calls().keys() == {"new:f"}


class Pair:
    """Two triggers on one journal, the first of which is to hang."""

    def __init__(self, folder: Path, case: Case, bus: int) -> None:
        folder.mkdir()
        self._folder, self.case = folder, case
        self._places = {"folder": folder, "bus": bus, "port": ports.free_port()}
        self._places["certificate"] = certificates.both(folder)
        self.armed = folder / "armed"
        self._site = Site(folder, f"sqlite:///{folder}/journal.sqlite")
        self._site.cloud = Recorder(Nova([HOST], ["alive1"]), answers=0.0)
        (folder / "words").mkdir()
        self.processes: dict[str, Any] = {}
        self._heard = ""
        if case.provoked == "agent":
            agent = folder / "fence_x"
            agent.write_text(_AGENT)
            agent.chmod(0o700)
            options = f"{{method: agent, agent: {agent}, options: {{ip: 192.0.2.1}}}}"
            self.fence(f"hosts: {{{HOST}: {options}, alive1: {{method: manual}}}}")
        if case.provoked == "log":
            os.mkfifo(self.log("first"))
            flags = os.O_RDWR | os.O_NONBLOCK
            self._pipe = io.FileIO(os.open(self.log("first"), flags), "r+")
        if case.starts:
            self.armed.touch()

    def fence(self, text: str) -> None:
        (self._folder / "fencing.yaml").write_text(text)

    def start(self, name: str, hangs: str = "") -> None:
        conf = self._site.conf(name, Backend(), LEASE)
        found = configparser.ConfigParser(interpolation=None)
        found.read(conf)
        for text in (_CONF, self.case.conf):
            found.read_string(text.format(**self._places))
        with conf.open("w") as file:
            found.write(file)
        # Nobody is there: what is said is dropped at once.
        env = {"NOTIFY_SOCKET": f"{self._folder}/nobody", "WATCHDOG_USEC": "4000000"}
        given = ([f"--config-file={conf}"], self.log(name), env, hangs)
        process = trigger.forks().Process(target=trigger.run, args=(*given, self.armed))
        process.start()
        self.processes[name] = process

    def log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def says(self, name: str, words: str) -> bool:
        return words in self._said(name)

    def _said(self, name: str) -> str:
        log = self.log(name)
        if log.is_fifo():
            self._heard += (self._pipe.read(_PIPE) or b"").decode()
            return self._heard
        return log.read_text(errors="replace") if log.exists() else ""

    def arm(self) -> None:
        """From now on it hangs; and a person says of a host that it is off."""
        self.armed.touch()
        match self.case.provoked:
            case "SIGHUP":
                os.kill(self.processes["first"].pid, signal.SIGHUP)
            case "fencing file":
                self.fence('{"hosts": {}}')
            case "log":
                while self._pipe.write(bytes(_PIPE)):
                    pass
                while self._pipe.write(b" "):
                    pass
                self.armed.with_suffix(".hit").touch()

    def die(self) -> None:
        conf = str(self._folder / "second.conf")
        self._site._read = Database(startup.load("test", [f"--config-file={conf}"]))
        if self.case.provoked != "agent":
            self._site.confirm(HOST)

    def is_recovered(self) -> bool:
        found = History(self._site.database).recoveries(HistoryQuery(limit=None))
        return any(r.host == HOST and r.state.value == "recovered" for r in found)

    def hit(self) -> bool:
        return self.armed.with_suffix(".hit").exists()

    def words(self) -> str:
        return "\n".join(self._said(name)[-3000:] for name in self.processes)

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.join()
        self._site.close()


@dataclass
class Seen:
    """What became of one case.

    :ivar code: of the first one's end; None: it lived on.
    :ivar by: the names of those who changed something, in the order of their changes.
    """

    hit: bool
    recovered: bool
    code: int | None
    by: list[str]
    words: str


def _await(pairs: list[Pair], done: Callable[[Pair], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not all(done(pair) for pair in pairs) and time.monotonic() < end:
        time.sleep(0.2)


@contextlib.contextmanager
def _silent_broker() -> Iterator[int]:
    """Its kernel accepts, and nobody says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Seen]:
    folder = tmp_path_factory.mktemp("hang")
    with contextlib.ExitStack() as ends:
        bus = ends.enter_context(_silent_broker())
        pairs = {}
        for number, (name, case) in enumerate(HANGS.items()):
            pairs[name] = Pair(folder / str(number), case, bus)
            ends.callback(pairs[name].close)
        return _observe(pairs)


def _observe(pairs: Mapping[str, Pair]) -> Mapping[str, Seen]:
    active, by = "This trigger is the active one", "This trigger stands by"
    every = list(pairs.values())
    for pair in every:
        pair.start("first", pair.case.at)
    leading = [p for p in every if p.case.at != HANGS["the tables are made"].at]
    _await(leading, lambda p: p.says("first", active), 240)
    for pair in every:
        pair.start("second")
    _await(every, lambda p: p.says("second", by) or p.says("second", active), 240)
    for pair in every:
        pair.arm()
    _await(every, Pair.hit, 90)
    for pair in every:
        pair.die()
    _await(every, Pair.is_recovered, RECOVERED)
    ending = [pair for pair in every if pair.case.ends]
    _await(ending, lambda p: p.processes["first"].exitcode is not None, ENDED)
    return {
        name: Seen(
            pair.hit(),
            pair.is_recovered(),
            pair.processes["first"].exitcode,
            [change.trigger for change in pair._site.cloud.changes],
            pair.words(),
        )
        for name, pair in pairs.items()
    }


@pytest.mark.parametrize("name", HANGS)
def test_a_host_that_dies_meanwhile_is_recovered(
    seen: Mapping[str, Seen], name: str
) -> None:
    found, case = seen[name], HANGS[name]
    assert found.hit, f"it has not come to {case.at}: {found.words}"
    assert found.recovered, found.words
    assert found.code == (1 if case.ends else None), found.words
    lives = not case.ends and case.at != HANGS["the tables are made"].at
    assert found.by, found.words
    # One that hangs may have begun; the other one carries it to its end.
    assert found.by[-1] == ("first" if lives else "second"), found.words
    assert not lives or set(found.by) == {"first"}, found.words
