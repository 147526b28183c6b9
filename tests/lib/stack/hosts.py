# SPDX-License-Identifier: Apache-2.0
"""The hosts of a fleet (fleet.py): which of them serve, and which are let in again."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.planner.ground import CLOSED
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from tests.lib.stack.heal import CleaningUp, heard_at
from tests.lib.stack.site import Pace
from tests.lib.stack.stack import Stack

_DOWN_TIME = Pace().service_down_time

_LASTS = 7.0
"""Seconds for which the history says that a nova-compute that runs has not cleaned up,
until somebody starts it again: more than it takes for that."""

_STANDS = 45.0
"""The same of one that runs and is not heard of: its start has failed, and its process
does not end."""

_AFTER = (HostState.RECOVERED, HostState.INCOMPLETE)
"""What a host is in that may be on again, and has not shown it yet."""


class Hosts:
    """All of a stack.

    :ivar zones: the names of the storage zones.
    """

    def __init__(self, stack: Stack, history: Callable[[], History]) -> None:
        """:param history: of the trigger that runs now."""
        self.zones = sorted(set(stack.site.layout.zones.values()))
        self._stack, self._history = stack, history
        self._cleaning_up = CleaningUp(_LASTS)
        self._standing_still = CleaningUp(_STANDS)
        self._next_look = 0.0

    def of(self, zone: str) -> list[str]:
        """The hosts of a zone, by name."""
        zones = self._stack.site.layout.zones
        return sorted(host for host, its in zones.items() if its == zone)

    def pairs(self, zone: str) -> tuple[list[str], list[str]]:
        """The hosts of a zone, and of its reserve."""
        hosts, reserve = self.of(zone), self._stack.site.layout.reserve
        return (
            [host for host in hosts if host not in reserve],
            [host for host in hosts if host in reserve],
        )

    def heard(self) -> bool:
        """Whether the machine has got its breath again after the start of so much: the
        scheduler has no patience with late heartbeats."""
        seen = [service["updated_at"] for service in self._services().values()]
        return all(at and _age(at) < _DOWN_TIME / 2 for at in seen)

    def open(self) -> bool:
        """Whether Placement, too, knows that all are enabled: nova-compute, which tells
        it, tries that again only after a minute if Placement was away."""
        path = f"/resource_providers?required={CLOSED}"
        answer = self._stack.placement("GET", path)
        answer.raise_for_status()
        return not answer.json()["resource_providers"]

    def serving(self, hosts: Collection[str]) -> list[str]:
        """Those of some hosts that are up, and for which nothing is under way."""
        found = self._services()
        let_in = [host for host in hosts if self.let_in([host])]
        return [
            host
            for host in let_in
            # Without a state where Nova cannot ask its cell's database.
            if found[host].get("state") == "up" and not found[host]["forced_down"]
        ]

    def let_in(self, hosts: Collection[str]) -> bool:
        """Whether no recovery of hosts is open.

        Beside it, an operator does as the history and Nova say: a nova-compute that has
        not cleaned up, or is not heard of, is started again.
        """
        still = self._open(hosts)
        for found in still:
            machine = self._stack.machines[found.host]
            if found.reason is Reason.DONE_RECORDS:
                self._cleaning_up.awaited(machine, found.id)
            elif found.state in _AFTER and machine.runs and self._is_silent(found.host):
                self._standing_still.awaited(machine, found.id)
        return not still

    def _is_silent(self, host: str) -> bool:
        """Whether Nova has not heard of it for long; False: Nova does not say."""
        path = f"/os-services?binary=nova-compute&host={host}"
        answer = self._stack.nova("GET", path)
        if not answer.ok:
            return False
        return all(
            _age(service["updated_at"]) > _DOWN_TIME
            for service in answer.json()["services"]
            if service["updated_at"]
        )

    def look_after(self, *others: str) -> None:
        """What let_in() does beside its answer, now and then, for all but some: so a
        host is back while another zone is what a test is about."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LASTS / 2
            self.let_in({*self._stack.machines} - {*others})

    def switch_on(self, hosts: Collection[str]) -> None:
        """Those that need not be off any more: a fence may come late, and end what was
        thought to be well."""
        for found in self._open(hosts):
            if found.state in _AFTER:
                self._stack.machines[found.host].start()

    def _open(self, hosts: Collection[str]) -> list[HostRecovery]:
        history = self._history()
        all_ = [
            r for host in hosts for r in history.recoveries(HistoryQuery(host=host))
        ]
        return [found for found in all_ if not found.ended_at]

    def _services(self) -> Mapping[str, dict[str, Any]]:
        answer = self._stack.nova("GET", "/os-services?binary=nova-compute")
        answer.raise_for_status()
        return {service["host"]: service for service in answer.json()["services"]}

    def arrange(self, zone: str, homes: Collection[str]) -> None:
        """Leave the other pair of hosts as destinations. What else there is, is under
        maintenance: not disabled, for that would leave the trigger few to hear."""
        pair = next(p for p in self.pairs(zone) if not set(p) & set(homes))
        away = {*self.of(zone)} - {*homes} - {*pair}
        compute = self._stack.openstack().compute
        closed = self._closed(zone)
        for host in {*(closed.hosts or [])} - away:
            compute.remove_host_from_aggregate(closed, host)
        for host in away - {*(closed.hosts or [])}:
            compute.add_host_to_aggregate(closed, host)

    def _closed(self, zone: str) -> Any:
        """The aggregate of those of a zone that no server may go to."""
        name = f"closed-{zone}"
        all_ = self._stack.openstack().compute.aggregates()
        found = next((each for each in all_ if each.name == name), None)
        return found or self._stack.aggregate(name, {"ha:maintenance": "true"}, [])


def _age(shown: str) -> float:
    """Seconds since Nova last wrote a service's record."""
    return time.time() - heard_at(shown)
