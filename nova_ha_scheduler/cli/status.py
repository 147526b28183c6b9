# SPDX-License-Identifier: Apache-2.0
"""``nova-ha status``."""

import argparse
import time
from operator import attrgetter
from typing import Any

from cliff.show import ShowOne

from nova_ha_scheduler.cli import devices, report
from nova_ha_scheduler.cli.app import Command
from nova_ha_scheduler.cli.values import Rows, shown
from nova_ha_scheduler.evacuation.records import EventKind, HostRecovery, State
from nova_ha_scheduler.journal.history import History
from nova_ha_scheduler.journal.store import SqlJournal


class Status(Command, ShowOne):
    """Show what the trigger is doing, from its journal."""

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        journal = SqlJournal(self.app.database)
        state = journal.load(time.time())
        hosts = [h for h in state.hosts.values() if h.ended_at is None]
        hosts.sort(key=attrgetter("host"))
        orders = [
            {"host": order.host, "command": order.kind.value, "by": order.by}
            for order in state.commands.values()
        ]
        status = {
            "active_trigger": journal.holder() or "none",
            "guard_tripped_until": shown(state.guard.tripped_until),
            "guard_reason": state.guard.reason,
            "blind_since": shown(state.guard.blind_since),
            "hosts": Rows([_host(state, host) for host in hosts]),
            "broken_devices": Rows(_broken(History(self.app.database))),
            "commands_waiting": Rows(orders),
        }
        return tuple(status), tuple(status.values())


def _host(state: State, host: HostRecovery) -> dict[str, Any]:
    servers = report.counts(s for s in state.servers.values() if s.recovery == host.id)
    return {
        "host": host.host,
        "state": host.state.value,
        "since": shown(host.stages.get(host.state.value)),
        "proof": str(host.evidence) if host.evidence else "",
        "reason": report.reason(host),
        **{word: number for word, number in servers.items() if number},
    }


def _broken(history: History) -> list[dict[str, Any]]:
    """The devices whose newest event says that they do not answer."""
    return [
        {"host": host, "since": shown(event.at), "reason": event.reason}
        for host, event in devices.newest(history).items()
        if event.kind is EventKind.DEVICE_BROKEN
    ]
