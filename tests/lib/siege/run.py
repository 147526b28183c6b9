# SPDX-License-Identifier: Apache-2.0
"""One seed: two deaths, and what was done about them, by the cloud's own records."""

import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.history import HistoryQuery
from nova_ha_scheduler.records.server_recovery import ServerRecovery
from tests.lib.errors import CloudError
from tests.lib.processes import Process, signal_group
from tests.lib.rig import is_active
from tests.lib.siege import forged, tenants
from tests.lib.siege.proxy import CALM, Choices, Mood
from tests.lib.siege.site import ZONES, A, B, Site
from tests.lib.siege.watch import Taken, Watch, unforeseen
from tests.lib.stack.gate import Request

MOST = Taken(rss=600, threads=100, descriptors=120, log=512)
"""What the trigger may take of its machine, whatever its peers do."""

_ABOUT_THE_FIRST, _IN_A_SHARE = 120.0, 300.0
"""Seconds from the death of the second host to the recovery of its last server, by who
is hostile then: of a look that takes ten answers, each has to be one."""

_SOON = 240.0
"""Seconds from the end of all hostility until the first host is done with, too."""

_WORST, _WORST_SECONDS = Mood(share=1.0, broken=1.0), 3.0
"""Just before it is told to end."""

_STORM = 12.0
_FORGED = 2000
_ENDS_WITHIN = 20.0
"""Seconds from SIGTERM: twice what is promised where a process gets its processor."""
_COMMANDS = (
    *(("status",), ("check",), ("host", "list"), ("capacity",), ("plan", A)),
    *(("health",), ("history", "list"), ("server", "explain", "x"), ("snapshot",)),
)
_CODES = range(6)
_FAILED = ("failed", "error")


@dataclass
class Tally:
    """What came of a seed."""

    breaches: list[str] = field(default_factory=list)
    spoilt: Counter[str] = field(default_factory=Counter)
    storm: str = ""
    second: float = 0.0
    """Seconds until the second host was recovered."""
    first: str = ""
    """What became of the first."""
    taken: Taken = field(default_factory=Taken)


class Run:
    """One trigger in a folder of its own."""

    def __init__(
        self, site: Site, seed: int, folder: Path, say: Callable[[str], None]
    ) -> None:
        self._site, self._seed, self._folder, self._say = site, seed, folder, say
        self._numbers = random.Random(seed)
        self._choices = Choices(seed)
        self._trigger = site.trigger(folder)
        self._servers: dict[str, str] = {}
        self._disks: dict[str, list[bytes]] = {}
        self.tally = Tally()

    def go(self) -> Tally:
        self._servers = self._site.boot(self._seed)
        self._disks = {server: self._on_disk(server) for server in self._servers}
        tenants.write(self._site.cloud, self._seed, self._servers)
        self._site.compute.seen = self._see
        self._site.choose(self._choices)
        process = self._trigger.start()
        watch = Watch(process.pid, process.log)
        try:
            self._deaths(process)
        except CloudError as error:
            self._breach(str(error).partition("; the end of")[0])
        finally:
            self._stop(process)
            self.tally.taken = watch.end()
            self._site.compute.seen = lambda request: None
        self.tally.breaches += self.tally.taken.exceeds(MOST)
        self.tally.spoilt = self._choices.spoilt
        self._judge()
        self._read(process.log.read_text(errors="replace"), "the log")
        return self.tally

    def _deaths(self, process: Process) -> None:
        process.wait_until("the trigger", lambda: is_active(process), 60)
        self._wait("a first look", lambda: self._looked(process), 30)
        flood = threading.Thread(target=self._forge)
        flood.start()
        self._be("storm", Mood(self._numbers.choice((0.3, 0.6, 1.0)), 0.5))
        self._site.cloud.crash(A)
        self._command()
        time.sleep(_STORM)
        second = self._second()
        self._be("second", second)
        seconds = _ABOUT_THE_FIRST if second.about else _IN_A_SHARE
        began = time.monotonic()
        self._site.cloud.crash(B)
        self._command()
        self._wait(f"{B} is recovered", lambda: self._is_done(B), seconds)
        self.tally.second = time.monotonic() - began
        flood.join()
        self._be("calm", CALM)
        self._wait(f"{A} is done with", lambda: self._is_done(A), _SOON)

    def _second(self) -> Mood:
        """Hostile about the first host alone, or in a share of all answers."""
        if self._numbers.random() < 0.6:
            return Mood(share=1.0, about=self._is_about_the_first)
        return Mood(share=0.3, broken=0.25)

    def _is_about_the_first(self, found: Any) -> bool:
        words = {A, *(server for server, host in self._servers.items() if host == A)}
        text = str(found)
        others = {B, *ZONES, *self._servers} - words
        return any(w in text for w in words) and not any(w in text for w in others)

    def _be(self, what: str, mood: Mood) -> None:
        self._choices.mood = mood
        words = "about the first host" if mood.about else f"{mood.share:.0%} of answers"
        self.tally.storm += f"{words if mood is not CALM else 'calm'}; "
        self._say(f"  {what}: {words}")

    def _forge(self) -> None:
        try:
            forged.send(self._site.broker.port, self._seed, _FORGED, list(ZONES))
        except OSError as error:
            self._breach(f"the broker took no more: {error}")

    def _command(self) -> None:
        """A person asks, too."""
        command = self._numbers.choice(_COMMANDS)
        try:
            done = self._trigger.ask(*command)
        except subprocess.TimeoutExpired:
            self._breach(f"nova-ha {' '.join(command)} has no end")
            return
        self._read(done.stdout + done.stderr, f"nova-ha {' '.join(command)}")
        if done.returncode not in _CODES:
            self._breach(f"nova-ha {' '.join(command)} ended with {done.returncode}")

    def _wait(self, what: str, is_so: Callable[[], bool], seconds: float) -> None:
        self._site.cloud.wait(what, is_so, seconds)

    def _looked(self, process: Process) -> bool:
        return any(r.path.startswith("/v2.1/os-aggregates") for r in self._asked())

    def _asked(self) -> list[Request]:
        return self._site.compute.requests

    def _is_done(self, host: str) -> bool:
        found = self._trigger.history().recoveries(HistoryQuery(host=host, limit=1))
        return bool(found) and found[0].outcome in ("recovered", "incomplete")

    # The oracle.

    def _see(self, request: Request) -> None:
        """An evacuation is asked for: has its host no power?"""
        if request.method != "POST" or '"evacuate"' not in request.body:
            return
        server = request.path.split("/")[-2]
        host = self._servers.get(server)
        if host is None:
            self._breach(f"{server} was evacuated, whose host lives")
        elif self._site.bmcs.power(host) != "Off":
            self._breach(f"{server} was evacuated while {host} had power")

    def _judge(self) -> None:
        cloud = self._site.cloud
        for host in ZONES:
            if host not in (A, B) and self._site.bmcs.power(host) != "On":
                self._breach(f"{host} was fenced, and lived")
        told = self._told()
        records: dict[str, list[Any]] = {server: [] for server in self._servers}
        for host in (A, B):
            path = f"/os-migrations?migration_type=evacuation&source_compute={host}"
            for record in cloud.nova("GET", path).json()["migrations"]:
                records.setdefault(record["instance_uuid"], []).append(record)
        for server, host in self._servers.items():
            name = f"{server} of {host}"
            good = [
                r for r in records[server] if r["status"] not in ("failed", "error")
            ]
            if len(good) > 1:
                self._breach(f"{name} was evacuated {len(good)} times: {good}")
            now = cloud.host(server)
            if ZONES.get(now) != ZONES[host]:
                self._breach(f"{name} is on {now}, which is another zone")
            if self._on_disk(server) != self._disks[server]:
                self._breach(f"{name} has another disk, or several")
            if len(self._runs_on(server)) > 1:
                self._breach(f"{name} runs on {self._runs_on(server)}")
            its = told.get(server)
            state, why = (its.state.value, its.reason) if its else ("forgotten", "")
            if state != "recovered" and (host == B or not why):
                self._breach(f"{name} is {state}: {why}")
            elif state == "recovered" and self._runs_on(server) != [now]:
                self._breach(f"{name} is called recovered, and does not run")
        states = Counter(r.state.value for r in told.values() if r.source == A)
        self.tally.first = ", ".join(f"{n} {state}" for state, n in states.items())

    def _told(self) -> dict[str, ServerRecovery]:
        try:
            found = self._trigger.history().servers(HistoryQuery(limit=None))
        except JournalError as error:
            self._breach(str(error))
            return {}
        return {record.server: record for record in found}

    def _on_disk(self, server: str) -> list[bytes]:
        return [p.read_bytes() for p in self._site.cloud.hardware.disks(server)]

    def _runs_on(self, server: str) -> list[str]:
        hardware, found = self._site.cloud.hardware, []
        for host in ZONES:
            guest = hardware.guests(host).get(server)
            if guest is not None and guest.state == 1:
                found.append(host)
        return found

    def _stop(self, process: Process) -> None:
        if not process.alive:
            self._breach("the trigger has ended by itself")
            return
        self._choices.mood = _WORST
        time.sleep(_WORST_SECONDS)  # and it asks for something just now
        signal_group(process.pid, signal.SIGTERM)
        began = time.monotonic()
        while process.alive and time.monotonic() - began < _ENDS_WITHIN:
            time.sleep(0.05)
        if process.alive:
            self._breach(f"SIGTERM: it is still there after {_ENDS_WITHIN:g} s")
        if code := process.stop():
            self._breach(f"it ended with {code}")

    def _read(self, text: str, where: str) -> None:
        for line, times in Counter(unforeseen(text)).most_common(5):
            self._breach(f"{where}, {times} times: {line[:600]}")

    def _breach(self, words: str) -> None:
        self._say(f"  BREACH: {words}")
        self.tally.breaches.append(words)
