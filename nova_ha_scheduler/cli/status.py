# SPDX-License-Identifier: Apache-2.0
"""``nova-ha status``."""

import argparse
import time
from operator import attrgetter, itemgetter
from typing import Any

from cliff.show import ShowOne

from nova_ha_scheduler.cli import devices, pauses, report, reserve, upkeep
from nova_ha_scheduler.cli.app import Command
from nova_ha_scheduler.cli.values import Moment, Rows
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.evacuation.records import (
    TROUBLES,
    EventKind,
    HostRecovery,
    State,
)
from nova_ha_scheduler.journal.history import History, Query
from nova_ha_scheduler.journal.store import SqlJournal

_LAST = 10


class Status(Command, ShowOne):
    """Show what the trigger is doing and what holds it up, from its journal.

    Which hosts of the reserve are in use is asked of the cloud; where that does not
    answer, reserve_unknown says why.
    """

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        journal, now = SqlJournal(self.app.database), time.time()
        history = History(self.app.database)
        state = journal.load(now)
        hosts = [h for h in state.hosts.values() if h.ended_at is None]
        hosts.sort(key=attrgetter("host"))
        orders = [
            {"host": order.host, "command": order.kind.value, "by": order.by}
            for order in state.commands.values()
        ]
        held = [pause for pause in state.pauses.values() if not pause.is_over(now)]
        status = {
            "active_trigger": journal.holder() or "none",
            "guard_tripped_until": Moment(state.guard.tripped_until),
            "guard_reason": state.guard.reason,
            "blind_since": Moment(state.guard.blind_since),
            "pauses": Rows([pauses.row(pause) for pause in held], pauses.line),
            "hosts": Rows([_host(state, host) for host in hosts], _host_line),
            "maintenances": Rows(upkeep.open_windows(state)),
            **self._reserve(),
            "going_home": Rows(upkeep.going_home(state)),
            "broken_devices": Rows(_broken(history)),
            "commands_waiting": Rows(orders),
            "last_errors": Rows(_errors(history), _error_line),
        }
        return tuple(status), tuple(status.values())

    def _reserve(self) -> dict[str, Any]:
        try:
            found = Rows(reserve.in_use(self.app.conf))
        except CloudUnreachable as error:
            return {"reserve_in_use": None, "reserve_unknown": str(error)}
        return {"reserve_in_use": found, "reserve_unknown": None}


def _host(state: State, host: HostRecovery) -> dict[str, Any]:
    servers = [s for s in state.servers.values() if s.recovery == host.id]
    return {
        "host": host.host,
        "state": host.state.value,
        "since": Moment(host.stages.get(host.state.value)),
        "proof": str(host.evidence) if host.evidence else "",
        "progress": report.progress(servers) if servers else "",
        "reason": host.sentence,
        **{word: number for word, number in report.counts(servers).items() if number},
    }


def _host_line(row: dict[str, Any]) -> str:
    more = (row["progress"], row["reason"], row["proof"])
    told = "; ".join(filter(None, more))
    return f"{row['host']}: {row['state']} since {row['since']}; {told}".rstrip("; ")


def _errors(history: History) -> list[dict[str, Any]]:
    """The newest events that say that something is not as it should be."""
    found = [
        event
        for kind in TROUBLES
        for event in history.events(Query(outcome=kind.value, limit=_LAST))
    ]
    newest = sorted(found, key=itemgetter(0), reverse=True)[:_LAST]
    return [
        {
            "at": Moment(event.at),
            "kind": event.kind.value,
            "host": event.host,
            "server": event.server_name,
            "how": event.how,
            "reason": event.reason,
        }
        for _, event in newest
    ]


def _error_line(row: dict[str, Any]) -> str:
    what = " ".join(filter(None, (row["kind"], row["host"], row["server"])))
    return ": ".join(filter(None, (f"{row['at']} {what}", row["how"], row["reason"])))


def _broken(history: History) -> list[dict[str, Any]]:
    """The devices whose newest event says that they do not answer."""
    return [
        {"host": host, "since": Moment(event.at), "reason": event.reason}
        for host, event in devices.newest(history).items()
        if event.kind is EventKind.DEVICE_BROKEN
    ]
