# SPDX-License-Identifier: Apache-2.0
"""What the cloud shows and cannot be read: what is not done because of that, and how it
is told.

============================  ======================================================
cannot be read                nothing is asked of Nova
============================  ======================================================
a host's compute service      for that host: it is neither suspected nor let back, and
                              its servers stay where they are
a server of a dead host       for that server
an evacuation's record        for the server that it names; if it names none, for all
                              servers of its host, as it may be of any of them
============================  ======================================================
"""

from collections.abc import Collection

from nova_ha_scheduler.cluster.picture import Unread
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.printable import plain
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.server_recovery import ServerPhase, ServerRecovery

_HISTORY = 600.0
"""Seconds before the recovery's beginning: a record that is older tells of an earlier
death, as far as the clocks of Nova's hosts agree."""

_OVER_AFTER = 60.0
"""Seconds for which an object was not met any more: not each look asks for all."""

_NAMED = 10
"""Objects that one sentence names."""


def why(step: Step, record: ServerRecovery) -> str:
    """What of a dead host's server cannot be read; "": all can."""
    server = step.picture.servers.get(record.server)
    if server is not None and server.unreadable:
        return server.unreadable
    since = step.hosts[record.recovery].started_at - _HISTORY
    for one in step.picture.unread:
        ours = one.source == record.source and one.server in ("", record.server)
        if ours and (one.at is None or one.at >= since):
            return f"{one.kind} {one.name}: {one.why}"
    return ""


def followed(step: Step, record: ServerRecovery, words: str) -> ServerRecovery:
    """A server that is under way, as far as was seen: nothing new is begun for it."""
    if record.phase is not ServerPhase.UNREADABLE:
        why = Reason.CANNOT_BE_READ
        record = record.because(why, words, ServerPhase.UNREADABLE)
        step.tell(EventKind.SERVER_SLOW, record, reason=record.sentence)
    return record


def read_again(record: ServerRecovery) -> ServerRecovery:
    """The same, once all can be read."""
    if record.phase is ServerPhase.UNREADABLE:
        return record.because(None)
    return record


class UnreadWatch:
    """Tells of what cannot be read when it is met, and when none of it is any more.

    Only in memory: after a restart it is told again.
    """

    def __init__(self) -> None:
        self._met: dict[tuple[str, str], float] = {}

    def watch(self, step: Step) -> None:
        """To be called once a step, with the step's picture."""
        now, before = step.picture.taken_at, self._met
        found = {(one.kind, one.name): one for one in step.picture.unread}
        new = [one for key, one in found.items() if key not in before]
        met = before | dict.fromkeys(found, now)
        self._met = {k: at for k, at in met.items() if abs(now - at) <= _OVER_AFTER}
        if new:
            step.tell(EventKind.UNREADABLE, reason=words(new))
        if before and not self._met:
            step.tell(EventKind.READABLE)

    @property
    def there(self) -> str:
        """What is met now, as words; "": nothing."""
        return words([f"{kind} {name}" for kind, name in self._met])


def words(found: Collection[Unread | str]) -> str:
    """The first few of them, and how many there are beside."""
    some = [str(one) for one in list(found)[:_NAMED]]
    more = len(found) - len(some)
    return plain("; ".join(some) + (f"; and {more} more" if more else ""))
