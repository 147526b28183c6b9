# SPDX-License-Identifier: Apache-2.0
"""What can be out of order around the trigger, and what a person is to do about it.

Each is said once when it begins and once when it is over, not at each try; the words
stand in docs/runbook.md, too.
"""

import enum
import threading
import time
from collections.abc import Callable, Set
from dataclasses import dataclass, replace

from oslo_log import log as logging

from nova_ha_scheduler.printable import one_line

LOG = logging.getLogger(__name__)


class Trouble(enum.Enum):
    """The values: what is wrong, what to do, and what is said when it is over."""

    CLOUD = (
        "The cloud cannot be seen",
        "The trigger begins nothing new until it sees the cloud. See that the named "
        "service answers, and that the login of [cloud] in nova-ha.conf works. The "
        "trigger then goes on by itself.",
        "The cloud can be seen again.",
    )
    JOURNAL = (
        "The journal cannot be used",
        "The trigger begins nothing until it can use the journal. See that the "
        "database of [database] connection is up, and that its disk has room. The "
        "trigger then goes on by itself.",
        "The journal can be used again.",
    )
    COORDINATION = (
        "[coordination] backend_url cannot be used",
        "The active trigger goes on. If it dies, the journal's lease alone decides, "
        "and another trigger takes over after twice [journal] lease_timeout. See "
        "that the backend is up.",
        "[coordination] backend_url can be used again.",
    )
    LISTENER = (
        "Nova's notifications cannot be heard",
        "The trigger sees a death by polling, a little later. See that the broker of "
        "[oslo_messaging_notifications] transport_url is up.",
        "Nova's notifications can be heard.",
    )
    SENDER = (
        "Events are not sent as notifications",
        "The events wait in the journal, and are sent later. See that the broker of "
        "[oslo_messaging_notifications] transport_url is up.",
        "Events are sent as notifications again.",
    )
    MESSAGES = (
        "Messages to people do not get through",
        "The messages wait in the journal, and are sent later. See that the named "
        "receiver is up, and that it accepts the login. nova-ha receiver test NAME "
        "tries it.",
        "Messages to people get through again.",
    )
    ADMISSION = (
        "What admission goes by cannot be published",
        "nova-scheduler uses what was published last. Once that is older than "
        "[ha_scheduler] admission_max_age, admission_when_stale decides. See that "
        "the cloud can be seen, and that admission_file can be written.",
        "What admission goes by is published again.",
    )
    UNREADABLE = (
        "Some objects that the cloud shows cannot be read",
        "The trigger does nothing to these objects, and looks after all others. Look "
        "at the objects in the service that shows them.",
        "All objects that the cloud shows can be read again.",
    )
    HEALTH = (
        "health.json cannot be written",
        "Monitoring that reads the file soon calls the state unknown. See that "
        "[health] directory exists, and that the service's user may write in it.",
        "health.json is written again.",
    )
    CAPACITY = (
        "How many failures are tolerated cannot be worked out",
        "The page and the metrics show the last known number, with its time. See "
        "that the cloud can be seen. nova-ha capacity shows the same error.",
        "How many failures are tolerated is worked out again.",
    )
    MONITORING = (
        "The page and the metrics cannot be served",
        "The trigger goes on, but nobody can ask it over the network. See [health] "
        "port, bind_host and cert_file. The trigger tries again every few seconds.",
        "The page and the metrics are served again.",
    )
    CONFIGURATION = (
        "The new nova-ha.conf is refused",
        "The trigger goes on with the options that it read before. Mend the file, "
        "then reload again (systemctl reload nova-ha-evacuator, or SIGHUP).",
        "The new nova-ha.conf is in force.",
    )
    FENCING_FILE = (
        "The fencing file cannot be used as it is now",
        "A host that had a usable entry before is fenced by that entry. A host whose "
        "entry was never usable cannot be fenced. Mend the file: the trigger reads "
        "it again by itself.",
        "The fencing file can be used again.",
    )
    STEP = (
        "A step broke and is tried again",
        "Nothing is lost, but the recovery does not go on. This is a bug: report it "
        "with this log.",
        "Steps go on again.",
    )
    LEFT_OUT = (
        "A part of each step breaks, and is left out",
        "The trigger looks after all else. This is a bug: report it with this log.",
        "Whole steps go on again.",
    )


class Part(enum.Enum):
    """Which part of the trigger has a trouble, where several can."""

    ANY = enum.auto()
    LOOP = enum.auto()
    LEASE = enum.auto()
    REPORT = enum.auto()
    OUTBOX = enum.auto()
    TEXTS = enum.auto()


_BLINDING = frozenset({Trouble.CLOUD, Trouble.JOURNAL})

_HARMLESS = frozenset({Part.REPORT, Part.OUTBOX})
"""Whatever they cannot do, the loop can see, and write down."""

_DEAFENING = frozenset({Trouble.LISTENER})
"""Heartbeats are lost when Nova's message bus is down, and so are notifications; but
these may also be out of reach for the trigger alone, and deaths are still seen then."""


def plainly(log: Callable[..., None], *words: object) -> None:
    """Log a sentence without the exception that it is about, which oslo.log would add
    once more to its end while one is being handled, but for a few kinds."""
    try:
        raise ValueError
    except ValueError:
        log(*words)


_Key = tuple[Trouble, Part]


@dataclass(frozen=True)
class _There:
    """:ivar begun: monotonic. :ivar since: by the clock. :ivar error: the newest."""

    begun: float
    since: float
    error: str


class Troubles:
    """Those of a process; safe to be used from several threads.

    Several parts of the trigger may have one trouble: what one cannot write, another
    may read. The trouble is over when it is over for each of them.
    """

    def __init__(self) -> None:
        self._there: dict[_Key, _There] = {}
        self._past = 0.0
        self._counted: Set[_Key] = frozenset()
        self._lock = threading.Lock()

    def begins(self, trouble: Trouble, error: object, part: Part = Part.ANY) -> bool:
        """Say it, unless it was said. :returns: whether it is new."""
        words = one_line(error)
        with self._lock:
            new = not self._of(trouble)
            now = _There(time.monotonic(), time.time(), words)
            found = self._there.pop((trouble, part), now)
            self._there[trouble, part] = replace(found, error=words)  # the newest, last
        what, todo, _ = trouble.value
        if not new:
            LOG.debug("%s: %s", what, words)
        elif trouble is Trouble.STEP:  # nobody foresaw it: where did it happen?
            LOG.exception("%s: %s. %s", what, words, todo)
        else:
            plainly(LOG.error, "%s: %s. %s", what, words, todo)
        return new

    def outage(self) -> float:
        """Seconds for which cloud or journal were out of order, or are, or for which
        the message bus was; what is over counts once: now, or while it was there."""
        with self._lock:
            now, past = time.monotonic(), self._past
            blinding = {key for key in self._there if _counts(key, _BLINDING)}
            self._past, self._counted = 0.0, blinding
            begun = (self._there[key].begun for key in blinding)
            return max([past, *(now - since for since in begun)])

    def standing(self) -> list[tuple[Trouble, float, str]]:
        """Those that are there now: since when, in seconds since the epoch, and what
        was said last."""
        with self._lock:
            troubles = dict.fromkeys(trouble for trouble, _ in self._there)
            found = [(trouble, self._of(trouble)) for trouble in troubles]
        return [
            (trouble, min(at.since for at in parts), parts[-1].error)
            for trouble, parts in found
        ]

    def is_over(self, trouble: Trouble, part: Part = Part.ANY) -> bool:
        """Say so, if it was there, and no other part has it. :returns: whether that is
        so."""
        key = trouble, part
        with self._lock:
            found = self._there.pop(key, None)
            counts = _counts(key, _BLINDING | _DEAFENING) and key not in self._counted
            if found is not None and counts:
                self._past = max(self._past, time.monotonic() - found.begun)
            over = found is not None and not self._of(trouble)
        if over:
            LOG.info("%s", trouble.value[2])
        return over

    def _of(self, trouble: Trouble) -> list[_There]:
        """Of each part that has it; the lock is held."""
        return [at for (which, _), at in self._there.items() if which is trouble]


def _counts(key: _Key, troubles: Set[Trouble]) -> bool:
    trouble, part = key
    return trouble in troubles and part not in _HARMLESS
