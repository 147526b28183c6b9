# SPDX-License-Identifier: Apache-2.0
"""Hours of virtual time: the engine on a real journal, in a simulated cloud.

Every quarter of an hour one host dies and returns, its servers go home, and another
one is drained for maintenance and given back. The last quarter is quiet.
"""

import collections
import gc
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from nova_ha_scheduler.journal import tables
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.effects import Intent
from nova_ha_scheduler.records.guard_record import GuardRecord
from nova_ha_scheduler.records.state import KINDS
from nova_ha_scheduler.service import startup
from nova_ha_scheduler.simulation.journal import KeptJournal
from tests.integration.soak.figures import rss_mib
from tests.lib.simulation import scenario

ROUND = 900
"""Seconds of virtual time."""

HOSTS = [f"node{number}" for number in range(1, 7)]

CLUSTER = {
    "hosts": {
        "node1..node6": {"zone": "nfs-a", "room": 64},
        "spare1": {"zone": "nfs-a", "reserved": True, "room": 64},
    },
    "servers": {
        f"web{n}-{host}": {"host": host} for host in HOSTS for n in range(1, 5)
    },
    "options": {"return_failback": True, "return_flapping_within": 0},
}


@dataclass(frozen=True)
class Outcome:
    """
    :ivar ends: how many recoveries and maintenance windows ended in which state.
    :ivar rows: of the journal's tables after each round.
    :ivar records: that the engine had in memory at once, at most.
    :ivar left: records that were in memory after each round, whoever had them, but for
        those that the simulation itself keeps.
    :ivar rss: MiB of this process after each round.
    """

    breaches: list[str]
    ends: dict[str, int]
    rows: list[dict[str, int]]
    records: int
    left: list[int]
    rss: list[float]


class Soak(scenario.Script):
    def __init__(self, folder: Path) -> None:
        super().__init__(CLUSTER)
        conf = folder / "nova-ha.conf"
        conf.write_text(f"[database]\nconnection = sqlite:///{folder}/journal\n")
        self.database = Database(startup.load("soak", [f"--config-file={conf}"]))
        self.database.upgrade()
        kept = SqlJournal(self.database)
        assert kept.acquire()
        self.simulation.journal = KeptJournal(kept)
        self.simulation.journal.listen = lambda event: None
        self.simulation._keep = None
        self.simulation.start()
        self.records = 0

    def until(self, time: float) -> None:
        while self.simulation.passed < time:
            self.simulation.tick()
            assert self.simulation.engine is not None
            state = self.simulation.engine.state
            known = (state.hosts, state.servers, state.intents, state.windows)
            more = (state.moves, state.commands, state.pauses)
            self.records = max(self.records, sum(map(len, (*known, *more))))

    def left(self) -> int:
        state = self.simulation.journal.state
        kept = {id(record) for k in KINDS for record in getattr(state, k.name).values()}
        kinds = {Intent, GuardRecord, *(kind.record for kind in KINDS)}
        gc.collect()
        return sum(type(o) in kinds and id(o) not in kept for o in gc.get_objects())

    def rows(self) -> dict[str, int]:
        with self.database.read() as connection:
            return {
                table.name: connection.execute(
                    sa.select(sa.func.count()).select_from(table)
                ).scalar_one()
                for table in tables.metadata.sorted_tables
            }

    def round(self, number: int) -> None:
        """A death with its return, and a maintenance."""
        began = number * ROUND
        dies = HOSTS[number % len(HOSTS)]
        drained = HOSTS[(number + 3) % len(HOSTS)]
        lines = (
            f"at {began + 10} power off {dies}",
            f"at {began + 250} power on {dies}",
            f'at {began + 500} maintenance-start {drained} ann "a fan" drain',
            f"at {began + 700} maintenance-end {drained} ann",
            f"at {began + ROUND} end",
        )
        self.play(self.read("\n".join(lines)))


def soak(folder: Path, hours: float) -> Outcome:
    """:param hours: of virtual time."""
    found = Soak(folder)
    rows, left, rss = [], [], []
    rounds = int(hours * 3600 / ROUND) - 1
    for number in range(rounds):
        found.round(number)
        found.log.clear()
        rows.append(found.rows())
        left.append(found.left())
        rss.append(rss_mib())
    found.until((rounds + 1) * ROUND)
    rows.append(found.rows())
    state = found.simulation.journal.state
    ends = collections.Counter(h.state.value for h in state.hosts.values())
    ends.update(window.state.value for window in state.windows.values())
    return Outcome(found.world.breaches, dict(ends), rows, found.records, left, rss)


RECORDS = 40
"""In memory at once: a host's and its servers', a window's and its moves', orders."""

LEFT = 20
"""In memory between two rounds: what the guard still counts. Nobody keeps what has
ended, or what a record was before."""

ROWS = 200
"""Of the journal, that one round may leave."""

MEMORY = 4.0
"""MiB that an hour may leave: the simulation itself keeps all that ever happened."""


def breaches(found: Outcome) -> list[str]:
    """What is over its ceiling, or was not brought to its end."""
    *_, before, last = found.rows
    rounds = len(found.rss)
    said = list(found.breaches)
    if found.ends != {"closed": rounds, "ended": rounds}:
        said.append(f"not all has come to its end in {rounds} rounds: {found.ends}")
    if before != last:
        said.append(f"rows are written while nothing happens: {before}, then {last}")
    if last["intents"]:
        said.append(f"{last['intents']} intents are left")
    totals = [sum(each.values()) for each in found.rows]
    steps = [new - old for old, new in zip([0, *totals], totals, strict=False)]
    if max(steps) > ROWS:
        said.append(f"a round leaves {max(steps)} rows, more than {ROWS}")
    if found.records > RECORDS:
        said.append(f"{found.records} records in memory, more than {RECORDS}")
    if max(found.left) > LEFT:
        said.append(f"{max(found.left)} records are left in memory, more than {LEFT}")
    grown = found.rss[-1] - found.rss[0]
    if grown > MEMORY * (1 + rounds * ROUND / 3600):
        said.append(f"the memory has grown by {grown:.1f} MiB")
    return said
