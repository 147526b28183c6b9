# SPDX-License-Identifier: Apache-2.0
"""Servers in each zone that move to and fro as their hosts die, under one trigger.

Nothing is booted for a test: the servers of a zone lie on its reserve, or on the two
other hosts. These homes die, the servers are recovered on the other two, their next
homes, and the dead hosts return while the next test runs in another zone.
"""

import contextlib
import datetime
import functools
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any, TypeVar

from keystoneauth1.exceptions import ClientException
from requests import RequestException

from nova_ha_scheduler.cli import history_rows
from nova_ha_scheduler.cli.values import plain
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.records.events import Event
from nova_ha_scheduler.records.server_recovery import ServerState
from tests.lib.cloud.config import Conf, merge
from tests.lib.stack import servers, truth
from tests.lib.stack.deaths import Death
from tests.lib.stack.evacuator import Evacuator, Trigger
from tests.lib.stack.gate import Request
from tests.lib.stack.hosts import Hosts
from tests.lib.stack.logs import Logs
from tests.lib.stack.operator import Operator
from tests.lib.stack.stack import Stack
from tests.lib.waiting import PATIENCE

T = TypeVar("T")

AHEAD = 3600
"""Seconds by which a clock jumps, more than any test takes: what the trigger writes
meanwhile is put right before it is checked."""

CONF: Conf = {
    "cloud": {"timeout": 10},
    # Each test is the death of a host, or of two.
    "guard": {"max_hosts": 100, "max_zone_percent": 100, "max_cloud_percent": 100},
    "return": {"flapping_within": 0},
    # Few at a time, so that there is something in the middle of which to fail.
    "evacuation": {
        "max_in_flight_per_zone": 11,
        "max_in_flight": 13,  # for more, slow_after is too short on a busy machine
        "follow_interval": 2,
        "retry_interval": 3,
        "check_time": 60,
        "task_state_grace": 20,
        "slow_after": 15,
        "attempts": 5,
    },
    "fencing": {"request_timeout": 5, "power_off_timeout": 10},
}
"""slow_after is longer than any service of Nova waits for another."""


def _put_right(shown: dict[str, Any]) -> dict[str, Any]:
    """What a clock that was ahead has stamped lies in the future."""

    def right(stamp: str | None) -> str | None:
        then = datetime.datetime.fromisoformat(stamp) if stamp else None
        if then is None or then.timestamp() < time.time() + AHEAD / 2:
            return stamp
        return (then - datetime.timedelta(seconds=AHEAD)).isoformat()

    events = [{**event, "at": right(event["at"])} for event in shown["events"]]
    stamps = {key: right(shown[key]) for key in ("began", "ended")}
    return {**shown, **stamps, "events": events}


class Fleet:
    """Use it after the stack has started, or was healed.

    :ivar hosts: all of the stack; :ivar operator: who looks after what dies.
    :ivar ids: the servers of each zone; :ivar deleted: by their owners.
    :ivar early: hosts that were switched on again before their time.
    :ivar spoilt: whether it is of no use any more.
    """

    def __init__(self, stack: Stack, number: int = 0, **details: Any) -> None:
        """:param number: of servers in each zone; 0: as many as the stack bears.
        :param details: of the trigger, as of Stack.trigger().
        """
        self.stack = stack
        self.hosts = Hosts(stack, lambda: self.history)
        self.deleted: set[str] = set()
        self.early: set[str] = set()
        self.spoilt = False
        self._number = number or stack.bears
        self.operator = Operator(self)
        self._shown: dict[str, dict[str, Any]] = {}
        self._triggers: list[Trigger] = []
        self._logs = Logs(self._triggers)
        name = f"fleet-{time.time():.0f}"  # its logs are kept when another follows
        self.trigger = self._make(name, **details)
        self.service: Evacuator = self.trigger.service(name)
        self.service.own_clock()
        self.wait("all hosts are heard of in time", self.hosts.heard)
        self.wait("all hosts are open to boots", self.hosts.open)
        self.ids = self._boot()
        self.service.start()

    def _make(self, name: str, **details: Any) -> Trigger:
        conf = merge(CONF, self.stack.slowly, details.pop("conf", {}))
        made = self.stack.trigger(name, conf=conf, **details)
        self._triggers.append(made)
        return made

    def _boot(self) -> dict[str, set[str]]:
        """On the hosts of each zone that are no reserve, on all at the same time."""
        boot = functools.partial(servers.boot, self.stack)
        halves = ((self._number + 1) // 2, self._number // 2)
        zones = self.hosts.zones
        with futures.ThreadPoolExecutor() as pool:
            ids = {z: pool.map(boot, self.hosts.pairs(z)[0], halves) for z in zones}
            return {zone: set().union(*found) for zone, found in ids.items()}

    @functools.cached_property
    def history(self) -> History:
        """Of the trigger that runs now."""
        return self.trigger.history()

    def wait(
        self, what: str, condition: Callable[[], T | None], seconds: float = PATIENCE
    ) -> T:
        """As Client.wait(), with room for others on the machine. What cannot be asked
        now is asked again: that a service is away may be what a test is about."""

        def patient() -> T | None:
            time.sleep(0.3)
            with contextlib.suppress(JournalError, RequestException, ClientException):
                return condition()
            return None

        return self.stack.wait(what, patient, seconds)

    # Before a death.

    def homes(self, zone: str) -> tuple[str, ...]:
        """The hosts on which all servers of a zone are, once all of the zone is well.

        :raises CloudError: that does not come about.
        """

        def well() -> tuple[str, ...] | None:
            names = self.hosts.of(zone)
            if self.hosts.serving(names) != names:
                return None
            now = servers.servers(self.stack)
            mine = [now[id] for id in self.ids[zone] - self.deleted if id in now]
            if any(s["OS-EXT-STS:task_state"] for s in mine):
                return None
            places = {str(s["OS-EXT-SRV-ATTR:host"]) for s in mine}
            one_pair = any(places <= set(pair) for pair in self.hosts.pairs(zone))
            return tuple(sorted(places)) if one_pair else None

        return self.wait(f"zone {zone} is well", well)

    # A death.

    def kill(
        self,
        zone: str,
        rebuild: float = 0.5,
        before: Callable[[], object] = lambda: None,
    ) -> Death:
        """The homes of a zone die.

        :param rebuild: how long each server takes to come up.
        :param before: what happens just before that.
        """
        homes = self.homes(zone)
        self.hosts.arrange(zone, homes)
        before()
        self.stack.rebuild_seconds(rebuild)
        death = Death(self, homes)
        for home in homes:
            self.stack.machines[home].kill()
        return death

    @contextlib.contextmanager
    def deaths(self, *zones: str, **how: Any) -> Iterator[list[Death]]:
        """The homes of zones die, as of kill(); at the end of the block, all servers
        have to be recovered, and no safety rule broken. Then the hosts are switched
        on again.

        The list may be added to.
        """
        try:
            for zone in zones[1:]:
                self.homes(zone)
            deaths = [self.kill(zone, **how) for zone in zones]
            yield deaths
            self.recovered(*deaths)
        except BaseException:
            self.spoilt = True
            raise
        for death in deaths:
            death.switch_on()

    @contextlib.contextmanager
    def death(self, zone: str, **how: Any) -> Iterator[Death]:
        """The same for one."""
        with self.deaths(zone, **how) as (death,):
            yield death
            expected = len(self.ids[zone] - self.deleted)
            self.ended(death)
            assert len(death.servers()) == expected > 0, death.servers()

    def recovered(self, *deaths: Death) -> None:
        """Wait until the recoveries of hosts have ended well; then check all."""
        for death in deaths:
            self.ended(death)
            ours = (s for s in death.servers() if s.server not in self.deleted)
            lost = [s for s in ours if s.state is not ServerState.RECOVERED]
            assert lost == [], lost
        self.check()

    def ended(self, death: Death, seconds: float = PATIENCE) -> None:
        """Wait until the recoveries of hosts have ended, well or not; beside it, an
        operator does as the documentation says (operator.py)."""
        self.operator.see_through(death, seconds)

    def back(self, *hosts: str) -> None:
        """Wait until hosts that are on again are let in, and all runs that is there."""
        for host in hosts:
            self.stack.machines[host].start()

        def let_in() -> bool:
            self.hosts.switch_on(hosts)
            return self.hosts.let_in(hosts)

        self.wait(f"{', '.join(hosts)} let in again", let_in)
        for host in hosts:
            self.operator.start_guests(host)

    def delete(self, server: str) -> None:
        """Its owner deletes it."""
        self.deleted.add(server)
        self.stack.nova("DELETE", f"/servers/{server}").raise_for_status()

    # After it.

    def events(self, kind: str, since: float | None = None) -> list[Event]:
        """All of a kind, the oldest first; also of no recovery."""
        query = HistoryQuery(outcome=kind, since=since, limit=None)
        return [event for _, event in reversed(self.history.events(query))]

    def evacuations(self) -> list[Request]:
        """The trigger's requests for one, whatever became of them."""
        seen = list(self.stack.gates["compute"].requests)
        return [r for r in seen if r.method == "POST" and '"evacuate"' in r.body]

    def facts(self, until: float = float("inf")) -> truth.Facts:
        """:param until: a moment in the past: while things happen, the files of some
        hosts are read sooner than those of others."""
        records = {
            host: [line for line in lines if line["at"] <= until]
            for host, lines in self.stack.records().items()
        }
        switched = [line for line in self.stack.switched() if line["at"] <= until]
        return truth.facts(records, switched)

    def check(self) -> None:
        """No safety rule was broken since the beginning, and the log has no traceback.

        :raises AssertionError: one was; it names them all.
        """
        everyone = set().union(*self.ids.values())
        facts = self.facts()
        broken = truth.breaches(
            facts, self.shown(), everyone, self.deleted, early=self.early
        )
        run = (id for id in everyone - self.deleted if facts.runs_at_last(id))
        broken += self.stack.standing([*run])
        assert broken == [], "\n".join(broken)
        traces = self._logs.tracebacks()
        assert traces == [], "\n".join(traces)

    def shown(self) -> list[dict[str, Any]]:
        """All recoveries, also by other triggers, as ``nova-ha history show`` has them;
        not by it: a program for each would eat the machine."""
        for found in self.history.recoveries(HistoryQuery(limit=None)):
            if not self._shown.get(found.id, {}).get("ended"):
                shown = plain(history_rows.details(self.history, found))
                self._shown[found.id] = _put_right(shown)
        return list(self._shown.values())

    def says(self, words: str, before: int = 0) -> None:
        """Wait until the trigger has logged this once more than it had before."""
        self.wait(f"{words!r} in its log", lambda: self.said(words) > before)

    def said(self, words: str) -> int:
        """How often it has logged this."""
        return self._logs.count(words)

    @contextlib.contextmanager
    def other_trigger(self, name: str, **details: Any) -> Iterator[Trigger]:
        """Another one in the place of the usual one; arguments as of Stack.trigger().

        All hosts have to be well, in the beginning and in the end.
        """
        for zone in self.hosts.zones:
            self.homes(zone)
        self.shown()  # keeps what the usual one has done
        usual = self.trigger, self.service
        self.service.kill()
        self._use(self._make(name, **details))
        try:
            yield self.trigger
            for zone in self.hosts.zones:
                self.homes(zone)
            self.check()
        except BaseException:
            self.spoilt = True
            raise
        finally:
            self.trigger.stop()
            self._use(usual[0])
            self.service = usual[1]
        self.service.start()

    def _use(self, trigger: Trigger) -> None:
        self.trigger = trigger
        self.__dict__.pop("history", None)
