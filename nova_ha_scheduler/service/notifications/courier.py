# SPDX-License-Identifier: Apache-2.0
"""Brings the journal's events to people: one thread for each receiver.

A receiver that is slow, refuses or is dead holds up itself alone: what waits for it is
in the journal, where the place of each receiver is written down after each message.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from oslo_log import log as logging

from nova_ha_scheduler.health.troubles import Trouble, Troubles, plainly
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.outbox import Outbox, of_receiver
from nova_ha_scheduler.printable import one_line
from nova_ha_scheduler.receivers import Receiver, ReceiverError, message
from nova_ha_scheduler.receivers.message import Message
from nova_ha_scheduler.records.events import Event

# A command that asks what waits needs none of the cloud's libraries.
if TYPE_CHECKING:
    from nova_ha_scheduler.service.parts import Parts

LOG = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
"""Between two looks into the journal: commands write events there, too."""

_SUMMARY_SECONDS = 10.0
"""Between two summaries."""

_MINUTE = 60.0

_AT_ONCE = 1000
"""Events of one summary."""

_FAR = 1000
"""Events of other kinds, after which its place is written down all the same."""

_FIRST_REST, _LONGEST_REST = 1.0, 60.0
"""After a failure; twice as long after each one more."""

Found = Sequence[tuple[int, Event]]


class Complaints:
    """What keeps messages from their receivers, as the one trouble that it is."""

    def __init__(self, troubles: Troubles) -> None:
        self._troubles, self._lock = troubles, threading.Lock()
        self._there: dict[str, str] = {}

    def say(self, name: str, words: str) -> None:
        """:param words: what is wrong with that receiver; "": nothing."""
        with self._lock:
            before = self._there.pop(name, "")
            others = bool(self._there)
            if words:
                self._there[name] = words
            if self._there:
                found = (f"{each}: {why}" for each, why in self._there.items())
                self._troubles.begins(Trouble.MESSAGES, "; ".join(found))
            else:
                self._troubles.is_over(Trouble.MESSAGES)
        if others and bool(before) != bool(words):  # no news to the trouble
            words = words or "messages get through again"
            plainly(LOG.warning, "Receiver %s: %s", name, words)


class Ration:
    """How many messages people can bear: so many a minute, and then summaries."""

    def __init__(self, per_minute: int) -> None:
        self._most = per_minute
        self._sent: deque[float] = deque()
        self._summed_at = float("-inf")

    def next(self, found: Found, cloud: str, now: float) -> Message | None:
        """What to send now of events that wait, which are one at least; None: nothing
        yet. :param now: monotonic."""
        while self._sent and now - self._sent[0] >= _MINUTE:
            self._sent.popleft()
        if len(found) <= self._most - len(self._sent):
            return message.of_event(*found[0], cloud)
        if now - self._summed_at < _SUMMARY_SECONDS:
            return None
        if len(found) == 1:
            return message.of_event(*found[0], cloud)
        return message.of_events(found, cloud)

    def took(self, sent: Message, now: float) -> None:
        """That message has been sent."""
        if sent.kind == message.SUMMARY or len(self._sent) >= self._most:
            self._summed_at = now
        else:
            self._sent.append(now)


class Courier:
    """Of one receiver."""

    def __init__(
        self,
        receiver: Receiver,
        outbox: Outbox,
        cloud: str,
        active: Callable[[], bool],
        complaints: Complaints,
    ) -> None:
        """:param active: whether this trigger is the one that sends."""
        self._receiver, self._outbox, self._cloud = receiver, outbox, cloud
        self._active, self._complaints = active, complaints
        self._ration = Ration(receiver.options.per_minute)
        self._passed = self._written = 0
        self._rest, self._news = 0.0, threading.Event()
        self._began = False

    def start(self) -> None:
        with contextlib.suppress(JournalError):  # the thread tries it again
            self._begin()
        name = f"receiver {self._receiver.name}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def wake(self) -> None:
        """There are new events."""
        self._news.set()

    def _begin(self) -> None:
        self._outbox.begin()
        self._began = True

    def _run(self) -> None:
        while True:
            if self._rest:
                time.sleep(self._rest)
            else:
                self._news.wait(_LOOK_SECONDS)
            self._news.clear()
            try:
                self._work()
            except JournalError as error:
                # The loop says so, too, and when it is over.
                LOG.debug("Receiver %s: %s", self._receiver.name, error)
            except Exception as error:  # also what no receiver should raise
                known = isinstance(error, ReceiverError)
                words = str(error) if known else type(error).__name__
                self._fail(one_line(words))

    def _fail(self, words: str) -> None:
        twice = min(2 * self._rest, _LONGEST_REST)
        self._rest = twice or _FIRST_REST
        self._complaints.say(self._receiver.name, words)

    def _work(self) -> None:
        """Send what there is, and can be sent now."""
        if not self._active():
            self._passed = 0  # another trigger sends, and knows where it stands
            return
        if not self._began:
            self._begin()
        while self._active() and (found := self._look()):
            sends = self._ration.next(found, self._cloud, time.monotonic())
            if sends is None:
                return
            words = self._receiver.send(sends)
            self._ration.took(sends, time.monotonic())
            self._rest = 0.0
            self._passed = sends.last
            self._write(sends.last)
            self._complaints.say(self._receiver.name, words)

    def _look(self) -> Found:
        """What waits, of what it is told of."""
        newest = self._outbox.newest()
        if newest <= self._passed:
            return ()
        found = self._outbox.pending(_AT_ONCE, self._passed, newest)
        if not found:
            self._passed = newest
            if newest - self._written >= _FAR:
                self._write(newest)
        return found

    def _write(self, number: int) -> None:
        self._outbox.sent(number)
        self._written = number


class Couriers:
    """All of a service."""

    def __init__(
        self,
        parts: "Parts",
        active: Callable[[], bool],
        troubles: Troubles,
    ) -> None:
        complaints, cloud = Complaints(troubles), parts.conf.messages.cloud
        self._all = {
            name: Courier(each, outbox(parts.database, each), cloud, active, complaints)
            for name, each in parts.receivers.items()
        }

    def start(self) -> None:
        for courier in self._all.values():
            courier.start()

    def wake(self) -> None:
        """There are new events."""
        for courier in self._all.values():
            courier.wake()


def outbox(database: Database, receiver: Receiver) -> Outbox:
    """The events that it is told of."""
    return Outbox(database, of_receiver(receiver.name), receiver.kinds)
