# SPDX-License-Identifier: Apache-2.0
"""Records to write."""

from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.effects import Effect, Intent
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.records.state import State

NASTY = "Ünï\U0001f600'\"\\%;--\0\ud800\n"


def host(name="c1", start=1000.1, **more) -> HostRecovery:
    fields = {"id": f"{name}@{start}", "host": name, "state": HostState.FENCED}
    return HostRecovery(**{**fields, "started_at": start, **more})


def server(recovery, uuid="u1", state=ServerState.WAITING, **more) -> ServerRecovery:
    fields = {"name": f"name of {uuid}", "source": recovery.host, "seen_at": 2.0}
    return ServerRecovery(recovery.id, uuid, state=state, **{**fields, **more})


def intent(number=1, **more) -> Intent:
    return Intent(f"i{number}", Effect.EVACUATE, "c1", 3.5, **more)


def command(key="k", **more) -> Command:
    fields = {"by": "Ann", "reason": "pulled", "at": 5.0, "expires_at": 905.0}
    return Command(key, CommandKind.CONFIRM_FENCED, "c1", **{**fields, **more})


def pause(key="p", **more) -> Pause:
    return Pause(key, **{"by": "Ann", "reason": "cables", "at": 5.0, **more})


def reopened(open_database) -> State:
    return SqlJournal(open_database()).load(0)
