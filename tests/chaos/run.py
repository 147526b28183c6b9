# SPDX-License-Identifier: Apache-2.0
"""One run: a thread for each zone, whose hosts die, and one for all else."""

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from keystoneauth1.exceptions import ClientException
from requests import RequestException

from nova_ha_scheduler.evacuation.records import ServerState
from tests.chaos import choices
from tests.chaos.choices import Blow, Trouble
from tests.stack import truth
from tests.stack.deaths import Death
from tests.stack.faults import injected
from tests.stack.fleet import Fleet
from tests.stack.machines import Machine

SERVERS = 12
"""In each zone."""

_LOOK = 5.0
"""Seconds between two checks of the records."""

_PATIENCE = 420.0
"""Seconds for a recovery, through which one thing after another fails."""

_REST = 3.0
"""Seconds between the end of a recovery and the next death in a zone."""


@dataclass
class Tally:
    """What a run has come to."""

    failures: int = 0
    recovered: int = 0
    faults: int = 0
    breaches: list[str] = field(default_factory=list)


class Run:
    """Chaos with one seed.

    :ivar tally: so far.
    """

    def __init__(self, fleet: Fleet, seed: int, say: Callable[[str], None]) -> None:
        self.tally = Tally()
        self._fleet, self._seed, self._say = fleet, seed, say
        self._stack = fleet.stack
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._began = time.time()

    def run(self, minutes: float) -> Tally:
        """Let things fail for some minutes; then heal all, wait, and check."""
        works = [(self._zone, zone) for zone in self._fleet.zones]
        threads = [
            threading.Thread(target=self._guarded, args=work)
            for work in [*works, (self._trouble, "")]
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end and not self.tally.breaches:
            self._over.wait(_LOOK)
            self._look()
        self._over.set()
        for thread in threads:
            thread.join()
        self._guarded(self._end, "")
        return self.tally

    def _guarded(self, work: Callable[[str], None], what: str) -> None:
        """What does not end well is a breach, too."""
        try:
            work(what)
        except Exception as error:  # whatever it is, the run was not a good one
            self._breach(f"{what}: {type(error).__name__}: {error}")
            self._over.set()

    def _breach(self, words: str) -> None:
        with self._lock:
            if words not in self.tally.breaches:
                self.tally.breaches.append(words)
        self._say(f"BREACH {words}")

    def _look(self) -> None:
        """What the computes have written down: at any moment."""
        facts = self._fleet.facts(until=time.time() - 1)
        for breach in truth.physical(facts, self._fleet.early):
            self._breach(breach)

    # Hosts.

    def _zone(self, zone: str) -> None:
        hosts = self._fleet.hosts(zone)
        for blow in choices.blows(self._seed, zone, hosts):
            ready = functools.partial(self._ready, blow)
            self._fleet.wait(f"{blow.host} is well", ready)
            if self._over.wait(_REST):
                return
            self._strike(blow)

    def _ready(self, blow: Blow) -> bool:
        """Whether the hosts of a blow serve, and nothing of them is under way."""
        named = {blow.host, blow.second} - {""}
        return self._over.is_set() or self._fleet.serve(named)

    def _strike(self, blow: Blow) -> None:
        self._say(str(blow))
        machine = self._stack.machines[blow.host]
        restart: list[Machine] = []
        deaths = [Death(self._fleet, blow.host)]
        if blow.how == "hangs":
            machine.freeze()
        elif blow.how == "power cut":
            machine.kill()
        else:
            machine.crash()
        if blow.second and self._reaches(deaths[0], blow.after):
            deaths.append(Death(self._fleet, blow.second))
            self._stack.machines[blow.second].kill()
        if blow.early and self._reaches(deaths[0], blow.early):
            self._fleet.early.add(blow.host)
            machine.start()
            restart = [machine]
        for death in deaths:
            self._count(death)
        for early in restart:
            early.crash()  # it cleans up after what had ended when it started
        for death in deaths:
            self._stack.machines[death.host].start()

    def _reaches(self, death: Death, number: int) -> bool:
        """Whether so many servers are recovered in the end: it may have fewer."""

        def reached() -> str | None:
            states = [server.state for server in death.servers()]
            if states.count(ServerState.RECOVERED) >= number:
                return "yes"
            return "no" if death.has_ended else None

        return self._fleet.wait(f"{number} servers of {death.host}", reached) == "yes"

    def _count(self, death: Death) -> None:
        self._fleet.ended(death, _PATIENCE)
        states = [server.state for server in death.servers()]
        done = states.count(ServerState.RECOVERED)
        self._say(f"{death.host}: {done} of {len(states)} recovered")
        with self._lock:
            self.tally.failures += 1
            self.tally.recovered += done

    # All else.

    def _trouble(self, _: str) -> None:
        for trouble in choices.troubles(self._seed):
            if self._over.wait(trouble.pause):
                return
            self._say(trouble.what)
            if trouble.what in choices.OWNERS:
                with _patience():
                    self._act(trouble)
                continue
            fault = choices.fault(trouble.what, self._fleet.service.name)
            with injected(fault, self._stack):
                self._over.wait(trouble.lasts)
            with self._lock:
                self.tally.faults += 1

    def _act(self, trouble: Trouble) -> None:
        everyone = sorted(set().union(*self._fleet.ids.values()) - self._fleet.deleted)
        server = everyone[int(trouble.server * len(everyone))]
        action = choices.OWNERS[trouble.what]
        if action:
            self._stack.nova("POST", f"/servers/{server}/action", action)
        else:
            self._fleet.deleted.add(server)
            self._stack.nova("DELETE", f"/servers/{server}")
        with self._lock:
            self.tally.faults += 1

    # The end.

    def _end(self, _: str) -> None:
        """All hosts are on, and let in again; then the whole history is checked."""
        self._fleet.back(*self._stack.machines)
        self._fleet.check()


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """What cannot be asked now can be asked later: it is one of the faults."""
    with contextlib.suppress(RequestException, ClientException):
        yield
