# SPDX-License-Identifier: Apache-2.0
"""What there is to tell at one moment, from memory: nobody is asked for it."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from nova_ha_scheduler.evacuation.engine import Engine
from nova_ha_scheduler.health.judgement import JournalFacts, Judgement, judge
from nova_ha_scheduler.health.report import Report
from nova_ha_scheduler.records.events import Event
from nova_ha_scheduler.records.state import State
from nova_ha_scheduler.service.capacity_figures import CapacityFigures

NEWEST = 20
"""How many events are shown."""


@dataclass(frozen=True)
class AdmissionAge:
    """
    :ivar taken_at: of when what was published last is, in seconds since the epoch.
    :ivar max_age: seconds for which nova-scheduler goes by it.
    """

    taken_at: float
    max_age: float


@dataclass(frozen=True)
class TriggerFacts:
    """
    :ivar now: in seconds since the epoch, as are all times.
    :ivar trigger: the name of this trigger.
    :ivar active: whether it is the active one.
    :ivar alive: whether its loop goes on.
    :ivar holder: who is the active trigger, as far as is known.
    :ivar devices: of each protected host whose fence device was asked, whether that
        has served; {} where this trigger does not ask them.
    :ivar capacity: None: it was not worked out yet, or another trigger does that.
    :ivar admission: None: another trigger, or somebody else, publishes it.
    :ivar pending: how many events have not been sent yet, by the receiver's name.
    :ivar newest: the newest events with their numbers, the newest first.
    """

    now: float
    trigger: str
    judgement: Judgement
    active: bool = False
    alive: bool = True
    holder: str = ""
    state: State = field(default_factory=State)
    report: Report | None = None
    devices: Mapping[str, bool] = field(default_factory=dict)
    capacity: CapacityFigures | None = None
    admission: AdmissionAge | None = None
    pending: Mapping[str, int] = field(default_factory=dict)
    newest: tuple[tuple[int, Event], ...] = ()


class DeviceStates:
    """Whether each fence device serves: the same object as long as none changes, as
    there may be ten thousand."""

    def __init__(self) -> None:
        self._works: frozenset[str] = frozenset()
        self._broken: Set[str] = frozenset()
        self._known: Mapping[str, bool] = {}

    def of(self, engine: Engine) -> Mapping[str, bool]:
        """By host; those that were asked."""
        works, broken = engine.devices.works, engine.devices.broken
        if works is not self._works or broken.keys() != self._broken:
            self._works, self._broken = works, frozenset(broken)
            up, down = dict.fromkeys(works, True), dict.fromkeys(broken, False)
            self._known = {**up, **down}
        return self._known


def of_engine(
    engine: Engine, report: Report, devices: Mapping[str, bool]
) -> TriggerFacts:
    """What the active trigger knows. :param devices: see DeviceStates."""
    state, now = engine.state, report.at
    known = JournalFacts(state, report.owner, report)
    return TriggerFacts(
        now,
        report.owner,
        judge(known, now),
        active=True,
        holder=report.owner,
        state=state,
        report=report,
        devices=devices,
    )


def of_journal(trigger: str, known: JournalFacts, now: float) -> TriggerFacts:
    """What a trigger that stands by knows."""
    return TriggerFacts(
        now,
        trigger,
        judge(known, now),
        holder=known.holder,
        state=known.state,
        report=known.report,
    )
