# SPDX-License-Identifier: Apache-2.0
"""The rhythm of each host's heartbeats, as its own heartbeats have shown it.

It is learned from looks that are made anyway, and by Nova's clocks: a time between two
heartbeats is the difference of what the service record says. The present, by Nova's
clocks, is the youngest heartbeat that a look has ever brought along, compared with when
it looked: the clocks of this host and of Nova's may differ.

Only in memory: after a restart it is learned anew, from four heartbeats of a host.
"""

import statistics
from collections import deque
from dataclasses import dataclass, field

from nova_ha_scheduler.cluster.picture import Host, Picture

_LEARNED = 3
"""Times between heartbeats from which a rhythm is known."""

_KEPT = 9
"""Times between heartbeats that a rhythm is made of: one that a look has passed over,
or a write that was none, changes little of their median."""

_LOOKS = 30
"""Looks that the difference of the clocks is learned from."""

_LATE = 0.2
"""As a share of the rhythm: heartbeats that come so much later are not missed yet."""

_WHOLE = 1.5
"""Seconds that one may come later in any case: Nova tells whole seconds."""

_OFF_BEAT = 0.15
"""The same for one that is out of step."""

_STEADY = 0.1
"""The same for those that have a rhythm at all."""


@dataclass
class _Pulse:
    """:ivar last: the newest heartbeat. :ivar times: those between the last ones.
    :ivar before: the one before the newest, if that is out of step with those before
    it, and new to this picture."""

    last: float
    times: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    before: float | None = None

    @property
    def rhythm(self) -> float | None:
        if len(self.times) < _LEARNED:
            return None
        return statistics.median(self.times)

    @property
    def is_steady(self) -> bool:
        rhythm = self.rhythm
        return rhythm is not None and all(
            _out_of_step(passed, rhythm) <= _STEADY for passed in self.times
        )


def _out_of_step(passed: float, rhythm: float | None) -> float:
    """By how much a heartbeat misses the rhythm, as a share of it; looks may have
    passed over some."""
    assert rhythm
    rest = passed % rhythm
    return min(rest, rhythm - rest) / rhythm


class Beats:
    """To be shown each new picture of the hosts."""

    def __init__(self) -> None:
        self._pulses: dict[str, _Pulse] = {}
        self._ahead: deque[float] = deque(maxlen=_LOOKS)
        self._now = 0.0

    def hear(self, picture: Picture) -> None:
        """Learn from a picture whose hosts are new."""
        hosts = [host for host in picture.hosts.values() if not host.unreadable]
        newest = max((host.updated_at for host in hosts), default=None)
        if newest is not None:
            self._ahead.append(newest - picture.hosts_seen_at)
        self._now = picture.hosts_seen_at + max(self._ahead, default=0.0)
        self._pulses = {h.name: self._heard(h) for h in hosts}

    def _heard(self, host: Host) -> _Pulse:
        pulse = self._pulses.get(host.name)
        if pulse is None or host.updated_at < pulse.last:  # a clock was set back
            return _Pulse(host.updated_at)
        passed = host.updated_at - pulse.last
        pulse.before = None
        if passed > 0:
            if pulse.is_steady and _out_of_step(passed, pulse.rhythm) > _OFF_BEAT:
                pulse.before = pulse.last
            pulse.last = host.updated_at
            pulse.times.append(passed)
        return pulse

    def out_of_step_since(self, host: str) -> float | None:
        """The last heartbeat before the newest one, if that came out of step: its
        nova-compute was started anew, perhaps."""
        pulse = self._pulses.get(host)
        return pulse.before if pulse else None

    def is_steady(self, host: str) -> bool:
        """Whether one that comes out of step would be noticed."""
        pulse = self._pulses.get(host)
        return pulse is not None and pulse.is_steady

    def due(self, host: str, missed: int = 1) -> float | None:
        """When the heartbeat was due, by Nova's clocks, of which it has missed so many
        by now; None: it has not, or its rhythm is not known."""
        pulse = self._pulses.get(host)
        rhythm = pulse.rhythm if pulse else None
        if pulse is None or rhythm is None:
            return None
        at = pulse.last + missed * rhythm
        return at if self._now >= at + max(_LATE * rhythm, _WHOLE) else None
