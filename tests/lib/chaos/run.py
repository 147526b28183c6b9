# SPDX-License-Identifier: Apache-2.0
"""One run: a thread for each zone, whose hosts die, and one for all else."""

import contextlib
import functools
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from keystoneauth1.exceptions import ClientException
from openstack.exceptions import SDKException
from requests import RequestException

from nova_ha_scheduler.records.server_recovery import ServerState
from tests.lib.chaos import choices
from tests.lib.chaos.choices import Blow, Trouble
from tests.lib.chaos.results import Tally
from tests.lib.errors import CloudError
from tests.lib.real.machines import RealMachine
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers, truth
from tests.lib.stack.deaths import Death
from tests.lib.stack.faults import injected
from tests.lib.stack.fleet import Fleet
from tests.lib.stack.machines import Machine
from tests.lib.stack.stack import Stack

SERVERS = 12
"""In each zone, or fewer."""

_LOOK = 5.0
"""Seconds between two checks of the records."""

_PATIENCE = 420.0
"""Seconds for a recovery, through which one thing after another fails."""

_REST = 3.0
"""Seconds between the end of a recovery and the next death in a zone."""


def _hang_alone(machine: Machine) -> None:
    assert isinstance(machine, RealMachine)
    machine.hang(guests=False)


def _split(machine: Machine) -> None:
    assert isinstance(machine, RealMachine)
    machine.split()


_HOW: Mapping[str, Callable[[Machine], None]] = {
    choices.POWER_CUT: Machine.kill,
    choices.HANGS: Machine.freeze,
    choices.HANGS_ALONE: _hang_alone,
    choices.CRASHES: Machine.crash,
    choices.SPLITS: _split,
}


class Run:
    """Chaos with one seed.

    :ivar tally: so far.
    """

    def __init__(self, stack: Stack, seed: int, say: Callable[[str], None]) -> None:
        self.tally = Tally()
        self._real = isinstance(stack, RealStack)
        self._stack, self._seed, self._say = stack, seed, say
        self._disk = stack.folder / f"journal-{seed}.sqlite"
        is_file = choices.journal(seed) == choices.SQLITE
        witness = stack.witness() if choices.has_witness(seed) else {}
        self._fleet = Fleet(
            stack,
            min(SERVERS, stack.bears),
            conf={"witnesses": witness},
            journal=f"sqlite:///{self._disk}" if is_file else None,
        )
        self._over = threading.Event()
        self._lock = threading.Lock()

    def run(self, minutes: float) -> Tally:
        """Let things fail for some minutes; then heal all, wait, and check."""
        works = [(self._zone, zone) for zone in self._fleet.hosts.zones]
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
        for breach in self._stack.standing(()):
            self._breach(breach)

    # Hosts.

    def _zone(self, zone: str) -> None:
        for blow in choices.blows(self._seed, zone, self._real):
            if self._over.wait(_REST):
                return
            host = self._fleet.wait(
                f"enough hosts of {zone} are well",
                functools.partial(self._next, zone, blow),
            )
            if not self._over.is_set():
                self._strike(zone, blow, host)

    def _next(self, zone: str, blow: Blow) -> str | None:
        """The host that it strikes, once there is one: one that a busy machine has had
        fenced needs its power back, too."""
        self._fleet.hosts.switch_on(self._fleet.hosts.of(zone))
        return self._choose(zone, blow.rank, 1 + bool(blow.second))

    def _choose(self, zone: str, rank: int, others: int) -> str | None:
        """The host of a rank, if so many others of its zone are well, too."""
        well = self._fleet.hosts.serving(self._fleet.hosts.of(zone))
        if len(well) <= others:
            return None
        now = servers.servers(self._stack).values()
        number = Counter(server["OS-EXT-SRV-ATTR:host"] for server in now)
        return sorted(well, key=lambda host: (-number[host], host))[
            min(rank, len(well) - 1)
        ]

    def _strike(self, zone: str, blow: Blow, host: str) -> None:
        self._say(f"{host}, {blow}")
        machine = self._stack.machines[host]
        deaths, shaken = [Death(self._fleet, (host,))], None
        _HOW[blow.how](machine)
        if blow.second and self._reaches(deaths[0], blow.after):
            second = self._second(zone, blow.second)
            if second and blow.second == choices.RESTARTS:
                shaken = second
            elif second:
                deaths.append(second)
        if blow.early and self._reaches(deaths[0], blow.early):
            self._fleet.early.add(host)
            machine.start()
        for death in deaths:
            self._count(death)
        if shaken and self._has_died(shaken):
            self._count(shaken)
            deaths.append(shaken)
        if host in self._fleet.early:
            machine.crash()  # it cleans up after what had ended when it started
        for death in deaths:
            death.switch_on()

    def _second(self, zone: str, how: str) -> Death | None:
        """Something happens to a destination, if there is another one."""
        (there,) = self._fleet.wait(
            "what can be asked", lambda: [self._choose(zone, 0, others=1)]
        )
        if there is None:
            return None
        self._say(f"{there}, in the middle: {how}")
        death = Death(self._fleet, (there,))
        machine = self._stack.machines[there]
        if how == choices.POWER_CUT:
            machine.kill()
        else:
            self._fleet.early.add(there)  # if it is fenced while it starts
            machine.crash()
            machine.start()
        return death

    def _has_died(self, death: Death) -> bool:
        """Whether a host whose nova-compute was started again was too slow."""

        def settled() -> bool:
            if death.recoveries:
                return death.has_ended
            return bool(self._fleet.hosts.serving(death.hosts))

        self._fleet.wait(f"{death} serves, or is recovered", settled, _PATIENCE)
        return bool(death.recoveries)

    def _reaches(self, death: Death, number: int) -> bool:
        """Whether so many servers are recovered in the end: it may have fewer."""

        def reached() -> str | None:
            self._fleet.operator.look_after(death)
            states = [server.state for server in death.servers()]
            if states.count(ServerState.RECOVERED) >= number:
                return "yes"
            return "no" if death.has_ended else None

        return self._fleet.wait(f"{number} servers of {death}", reached) == "yes"

    def _count(self, death: Death) -> None:
        self._fleet.ended(death, _PATIENCE)
        found = death.servers()
        done = {s.server for s in found if s.state is ServerState.RECOVERED}
        self._say(f"{death}: {len(done)} of {len(found)} recovered")
        with self._lock:
            self.tally.failures += 1
            self.tally.recovered += len(done)
        self._run_on(done)

    def _run_on(self, quiet: set[str]) -> None:
        """Of what is called recovered, that which runs by the records has a guest that
        writes. Looked at twice: what its owner stops meanwhile is no breach."""
        for _ in range(2):
            before = self._open_stays(quiet)
            quiet = self._stack.silent({stay.server for stay in before})
            after = self._open_stays(quiet)
            quiet = {stay.server for stay in before & after}
        for server in sorted(quiet):
            self._breach(f"{server} is called recovered, and stands still")

    def _open_stays(self, ids: Collection[str]) -> set[truth.Stay]:
        """Where those of some servers run that do, by the records."""
        stays = self._fleet.facts().stays
        return {s for s in stays if s.server in ids and s.until == truth.FOREVER}

    # All else.

    def _trouble(self, _: str) -> None:
        for trouble in choices.troubles(self._seed, self._real):
            if self._over.wait(trouble.pause):
                return
            self._say(trouble.what)
            if trouble.what in choices.OWNERS:
                with _patience():
                    self._act(trouble)
                continue
            fault = choices.fault(trouble.what, self._fleet.service, self._disk)
            with injected(fault, self._stack):
                self._over.wait(trouble.lasts)
            with self._lock:
                self.tally.faults += 1

    def _act(self, trouble: Trouble) -> None:
        everyone = sorted(set().union(*self._fleet.ids.values()) - self._fleet.deleted)
        server = everyone[int(trouble.server * len(everyone))]
        action = choices.OWNERS[trouble.what]
        if not action:
            self._fleet.delete(server)
        elif "resize" in action:
            self._resize(server)
        else:
            self._do(server, action)
        with self._lock:
            self.tally.faults += 1

    def _resize(self, server: str) -> None:
        """To the other flavor; the owner looks at it, and confirms."""
        compute = self._stack.openstack().compute
        has = compute.get_server(server).flavor.original_name
        wants = servers.FLAVOR if has == servers.BIGGER else servers.BIGGER
        flavor = compute.find_flavor(wants, ignore_missing=False)
        if self._do(server, {"resize": {"flavorRef": flavor.id}}):
            with contextlib.suppress(CloudError):  # its host may die meanwhile
                self._stack.wait_status(server, "VERIFY_RESIZE", 20)
                self._do(server, {"confirmResize": None})

    def _do(self, server: str, action: Mapping[str, Any]) -> bool:
        answer = self._stack.nova("POST", f"/servers/{server}/action", action)
        return bool(answer.ok)

    # The end.

    def _end(self, _: str) -> None:
        """All hosts are on, and let in again; then the whole history is checked."""
        self._fleet.back(*self._stack.machines)
        self._fleet.check()


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """What cannot be asked now can be asked later: it is one of the faults."""
    with contextlib.suppress(RequestException, ClientException, SDKException):
        yield
