# SPDX-License-Identifier: Apache-2.0
"""What monitoring would see of a simulated trigger, second by second."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nova_ha_scheduler.cluster.picture import Scope
from nova_ha_scheduler.health.troubles import Trouble, Troubles
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.events import Event
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.service import capacity_figures
from nova_ha_scheduler.service.health_writer import Writer
from nova_ha_scheduler.service.monitoring import trigger_facts
from nova_ha_scheduler.service.monitoring.counts import Counts
from nova_ha_scheduler.service.monitoring.metrics import Text
from nova_ha_scheduler.service.monitoring.trigger_facts import (
    AdmissionAge,
    DeviceStates,
    TriggerFacts,
)
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario

OWNER = "sim:1:0"


def writer(simulation: Simulation, journal: SqlJournal, troubles: Troubles) -> Writer:
    """What writes the report of a simulated trigger."""
    conf = SimpleNamespace(
        journal=SimpleNamespace(lease_timeout=15.0),
        health=SimpleNamespace(directory=""),
    )
    parts: Any = SimpleNamespace(
        conf=conf,
        options=simulation.options,
        fencing=SimpleNamespace(answers={}),
        only=(),
    )
    return Writer(parts, journal, simulation.clock, troubles, patience=60.0)


class Watched(scenario.Script):
    """A scenario whose trigger is looked at.

    :ivar look: called after each second of virtual time.
    :ivar capacity_every: seconds between two times at which the figures are made.
    :ivar admission: when what admission goes by was published last, and its age.
    """

    def __init__(self, directory_or_cluster: Path | dict[str, Any]) -> None:
        cluster = directory_or_cluster
        if isinstance(cluster, Path):
            cluster = scenario.load((cluster / "cluster.yaml").read_text())
        super().__init__(cluster)
        self.look: Callable[[], None] = lambda: None
        self.counts, self.text, self.troubles = Counts(), Text(), Troubles()
        self.counts.know(["redfish"])
        self._devices = DeviceStates()
        self.newest: list[tuple[int, Event]] = []
        self.capacity_every: int | None = None
        self.capacity: capacity_figures.CapacityFigures | None = None
        self.admission: AdmissionAge | None = None
        owner: Any = SimpleNamespace(owner=OWNER)
        self._writer = writer(self.simulation, owner, self.troubles)
        self._commit = self.simulation.journal.commit
        self.simulation.journal.commit = self._learn  # type: ignore[method-assign]

    def _hear(self, event: Event) -> None:
        super()._hear(event)
        self.newest.insert(0, (len(self.newest) + 1, event))
        self.counts.event(event)

    def _learn(self, change: Change) -> None:
        engine = self.simulation.engine
        assert engine is not None
        self._commit(change)
        self.counts.learn(change, self.simulation.journal.state, engine.heard_at)

    def until(self, time: float) -> None:
        while self.simulation.passed < time:
            self.simulation.tick()
            self._writer.stepped()
            if self.capacity_every and not self.simulation.passed % self.capacity_every:
                self.work_out()
            self.look()

    @property
    def facts(self) -> TriggerFacts | None:
        """None: the trigger is dead, and says nothing."""
        engine = self.simulation.engine
        if engine is None:
            return None
        if self.simulation._lost_at is None:
            self.troubles.is_over(Trouble.CLOUD)
        else:
            self.troubles.begins(Trouble.CLOUD, "it does not answer")
        found = trigger_facts.of_engine(
            engine,
            self._writer.report(engine, self.simulation.clock.now()),
            self._devices.of(engine),
        )
        return replace(
            found,
            capacity=self.capacity,
            admission=self.admission,
            pending={"oncall": 0},
            newest=tuple(self.newest[: trigger_facts.NEWEST]),
        )

    def work_out(self) -> None:
        """What the publisher's process does."""
        scope = Scope(hosts=frozenset(self.world.machines), destinations=True)
        picture = self.world.observe(scope)
        self.capacity = capacity_figures.of(picture, self.simulation.options)

    def metrics(self) -> str:
        """ "": the trigger is dead."""
        found = self.facts
        return self.text.of(found, self.counts).decode() if found else ""
