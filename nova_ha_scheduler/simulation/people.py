# SPDX-License-Identifier: Apache-2.0
"""The verbs of a scenario for the trigger, and for what people order of it."""

import itertools
from dataclasses import replace
from typing import Any

from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.events import Event
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.simulation.mishaps import MishapVerbs
from nova_ha_scheduler.simulation.runner import Simulation
from nova_ha_scheduler.simulation.words import BadScenario, HostName, Seconds

_LASTS = Seconds(600.0)
"""For how long an order holds."""


class PeopleVerbs(MishapVerbs):
    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation)
        self._numbers = itertools.count(1)
        self._pauses: list[Pause] = []

    def do_kill(self) -> None:
        """The trigger dies."""
        self.simulation.kill()

    def do_start(self) -> None:
        """It is started again."""
        self.simulation.start()

    def do_confirm_fenced(
        self, host: str, by: str, reason: str, lasts: Seconds = _LASTS
    ) -> None:
        """nova-ha confirm-fenced"""
        self._order(CommandKind.CONFIRM_FENCED, host, by, reason, lasts)

    def do_evacuate(
        self, host: str, by: str, reason: str, lasts: Seconds = _LASTS
    ) -> None:
        """nova-ha evacuate --confirm-fenced"""
        self._order(CommandKind.EVACUATE, host, by, reason, lasts)

    def do_evacuate_to(
        self, host: str, destination: HostName, by: str, reason: str, *servers: str
    ) -> None:
        """nova-ha evacuate --to, of all servers or of some."""
        known = self.simulation.world.servers.values()
        there = [s for s in known if s.host == host]
        chosen = {
            s.uuid: destination for s in there if not servers or s.name in servers
        }
        kind = CommandKind.EVACUATE
        self._order(kind, host, by, reason, destinations=chosen, bound=True)

    def do_abort(
        self, host: str, by: str, reason: str, lasts: Seconds = _LASTS
    ) -> None:
        """nova-ha abort"""
        self._order(CommandKind.ABORT, host, by, reason, lasts)

    def do_retry(
        self, host: str, by: str, reason: str, lasts: Seconds = _LASTS, *more: str
    ) -> None:
        """nova-ha retry; with queues-emptied"""
        emptied = "queues-emptied" in more
        kind = CommandKind.RETRY
        self._order(kind, host, by, reason, lasts, queues_emptied=emptied)

    def do_guard_reset(self, by: str, reason: str, lasts: Seconds = _LASTS) -> None:
        """nova-ha guard reset"""
        self._order(CommandKind.RESET_GUARD, "", by, reason, lasts)

    def do_pause(
        self, scope: str, by: str, reason: str, until: Seconds | None = None
    ) -> None:
        """nova-ha pause; the scope: a host, zone=NAME or all."""
        kind, _, zone = scope.partition("=")
        pause = Pause(
            id=f"pause-{len(self._pauses) + 1}",
            by=by,
            reason=reason,
            at=self.simulation.clock.now(),
            until=None if until is None else self.simulation.began + until,
            host=scope if not zone and kind != "all" else None,
            zone=zone or None,
        )
        self._pauses.append(pause)
        self._write(pause, stopping.begun(pause))

    def do_resume(self, number: int, by: str) -> None:
        """nova-ha resume of a pause; they count from 1."""
        if not 1 <= number <= len(self._pauses):
            raise BadScenario(f"there is no pause {number} yet")
        pause = self._pauses[number - 1]
        ended = replace(pause, ended_at=self.simulation.clock.now(), ended_by=by)
        self._write(ended, stopping.resumed(ended))

    def _write(self, pause: Pause, event: Event) -> None:
        change = Change(pauses=(pause,), events=(event,))
        self.simulation.journal.commit(change)

    def do_maintenance_start(self, host: str, by: str, reason: str, *more: str) -> None:
        """nova-ha maintenance start; with drain, and with the second until when."""
        try:
            times = [float(word) for word in more if word != "drain"]
        except ValueError:
            raise BadScenario(f"drain or seconds, not {' '.join(more)}") from None
        until = self.simulation.began + times[0] if times else None
        kind, drain = CommandKind.START_MAINTENANCE, "drain" in more
        self._order(kind, host, by, reason, until=until, drain=drain)

    def do_maintenance_end(self, host: str, by: str, *more: str) -> None:
        """nova-ha maintenance end; with force."""
        kind = CommandKind.END_MAINTENANCE
        self._order(kind, host, by, "", force="force" in more)

    def _order(
        self,
        kind: CommandKind,
        host: str,
        by: str,
        reason: str,
        lasts: float = _LASTS,
        **more: Any,
    ) -> None:
        now = self.simulation.clock.now()
        key = f"command-{next(self._numbers)}"
        command = Command(key, kind, host, by, reason, now, now + lasts, **more)
        self.simulation.journal.order(command)
