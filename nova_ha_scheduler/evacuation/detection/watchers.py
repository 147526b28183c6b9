# SPDX-License-Identifier: Apache-2.0
"""What watches the cloud from step to step, beside the recoveries, and remembers in
memory what it has told and asked."""

import copy
from collections import deque
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any

from nova_ha_scheduler.evacuation.detection.beats import Beats
from nova_ha_scheduler.evacuation.detection.device_watch import DeviceWatch
from nova_ha_scheduler.evacuation.detection.lateness import LateWatch
from nova_ha_scheduler.evacuation.detection.other_zone import OtherZoneWatch
from nova_ha_scheduler.evacuation.detection.reboots import RebootWatch
from nova_ha_scheduler.evacuation.detection.unreadable import UnreadWatch
from nova_ha_scheduler.evacuation.step import Step


class Watchers:
    """All of them.

    :ivar beats: the rhythm of heartbeats, which each picture teaches.
    """

    def __init__(self, device_check_interval: float) -> None:
        self.beats = Beats()
        self.devices = DeviceWatch(device_check_interval)
        self.unread = UnreadWatch()
        self._other_zone = OtherZoneWatch()
        self.late = LateWatch(self.beats)
        self.reboots = RebootWatch(self.beats)
        self._all = (
            self.devices,
            self.unread,
            self._other_zone,
            self.late,
            self.reboots,
        )

    def watch(self, step: Step) -> None:
        """To be called once a step, when all else is decided."""
        for watcher in self._all:
            watcher.watch(step)

    def savepoint(self) -> Callable[[], None]:
        """:returns: what puts their memory back. What was not written down was neither
        told nor asked."""
        before = [
            (watcher, {name: _kept(value) for name, value in vars(watcher).items()})
            for watcher in self._all
        ]

        def undo() -> None:
            for watcher, memory in before:
                vars(watcher).update(memory)

        return undo


def _kept(value: Any) -> Any:
    """A value that stays, whatever a watcher does to the one that it has."""
    if isinstance(value, dict):
        return {k: copy.deepcopy(v) if is_dataclass(v) else v for k, v in value.items()}
    return copy.copy(value) if isinstance(value, set | deque) else value
