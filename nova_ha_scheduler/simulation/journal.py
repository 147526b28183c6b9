# SPDX-License-Identifier: Apache-2.0
"""The journal of a simulation: in memory, and in a database as well if it is kept."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.commands import Command
from nova_ha_scheduler.records.events import Event
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.state import Change, State


class MemoryJournal:
    """Survives the trigger, as the real one does.

    :ivar listen: called with each event.
    """

    def __init__(self) -> None:
        self.state = State()
        self.events: list[Event] = []
        self.listen: Callable[[Event], None] = self.events.append

    def load(self, admitted_since: float) -> State:
        hosts = {
            key: host
            for key, host in self.state.hosts.items()
            if host.ended_at is None or (host.admitted_at or 0) >= admitted_since
        }
        servers = {
            key: server
            for key, server in self.state.servers.items()
            if key[0] in hosts and hosts[key[0]].ended_at is None
        }
        windows = {k: w for k, w in self.state.windows.items() if w.ended_at is None}
        unfinished = {m.job for m in self.state.moves.values() if not m.state.final}
        moves = {
            key: move
            for key, move in self.state.moves.items()
            if move.job in unfinished or move.job in windows
        }
        return replace(
            self.state, hosts=hosts, servers=servers, windows=windows, moves=moves
        )

    def pauses(self) -> Sequence[Pause]:
        return tuple(self.state.pauses.values())

    def commit(self, change: Change) -> None:
        assert not {i.id for i in change.opened} & set(self.state.intents)
        self.state = self.state.after(change)
        for event in change.events:
            self.listen(event)

    def order(self, command: Command) -> None:
        commands = {**self.state.commands, command.id: command}
        self.state = replace(self.state, commands=commands)


class KeptJournal(MemoryJournal):
    """A real journal, which ``nova-ha history`` can read; what was ever in it stays in
    memory.

    :param kept: one that was acquired.
    """

    def __init__(self, kept: SqlJournal) -> None:
        super().__init__()
        self._kept = kept

    def load(self, admitted_since: float) -> State:
        return self._kept.load(admitted_since)

    def pauses(self) -> Sequence[Pause]:
        return self._kept.pauses()

    def commit(self, change: Change) -> None:
        self._kept.commit(change)
        super().commit(change)

    def order(self, command: Command) -> None:
        self._kept.add_commands([command])
        super().order(command)
