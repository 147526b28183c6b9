# SPDX-License-Identifier: Apache-2.0
"""Threads that gather, write and serve, beside the loop, which waits for none of them.

=========  =========================================================================
gathers    reads the journal for what its memory does not show; may hang with it
writes     all texts from memory, twice a second, and as soon as there is an event: a
           request finds them ready
serves     opens the port, and tries again where that cannot be done now
=========  =========================================================================
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

from oslo_log import log as logging

from nova_ha_scheduler.clock import Clock
from nova_ha_scheduler.evacuation.detection import scope
from nova_ha_scheduler.evacuation.engine import Engine
from nova_ha_scheduler.fencing.config import FenceDevices
from nova_ha_scheduler.health.judgement import cannot_tell
from nova_ha_scheduler.health.report import Report
from nova_ha_scheduler.health.troubles import Part, Trouble, Troubles
from nova_ha_scheduler.journal import health_facts
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.journal.outbox import Outbox
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.events import Event
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.service import capacity_figures, publish, publisher
from nova_ha_scheduler.service.monitoring import page_data, trigger_facts
from nova_ha_scheduler.service.monitoring.counts import Counts
from nova_ha_scheduler.service.monitoring.healthcheck import Answers
from nova_ha_scheduler.service.monitoring.metrics import Text
from nova_ha_scheduler.service.monitoring.pages import Pages, Texts
from nova_ha_scheduler.service.monitoring.server import WebPlace, WebServer
from nova_ha_scheduler.service.monitoring.trigger_facts import (
    AdmissionAge,
    DeviceStates,
    TriggerFacts,
)
from nova_ha_scheduler.service.notifications import broker, courier
from nova_ha_scheduler.service.parts import Parts
from nova_ha_scheduler.service.publisher import Publisher

LOG = logging.getLogger(__name__)

NOTIFICATIONS = "notifications"
"""What those are called who hear of events by the message bus, in the metrics."""

_GLANCE = 0.5
"""Seconds between two texts, and two looks at the journal, if nothing happens."""

_BREATH = 0.1
"""Seconds between two of them at least."""

_RETRY = 5.0
"""Seconds after which a port that could not be opened is tried again, and files of TLS
are looked at."""

_STALE = 10.0
"""Seconds after which what was read of the journal is not believed any more."""

_BACKLOG = 10_000
"""What is not counted yet, at most: a writer that breaks must not fill the memory."""


class Monitor:
    """Of one trigger, active or standing by."""

    def __init__(
        self,
        place: WebPlace,
        parts: Parts,
        journal: SqlJournal,
        clock: Clock,
        troubles: Troubles,
        report: Callable[[Engine, float], Report],
        patience: float,
    ) -> None:
        """
        :param report: what the active trigger says of itself.
        :param patience: seconds after which a loop that has not come round is stuck.
        """
        self._place, self._parts, self._journal = place, parts, journal
        self._clock, self._troubles, self._report = clock, troubles, report
        self._patience = patience
        self._gathered = _Gathered(parts, journal.owner, clock)
        self._counts, self._text, self.pages = Counts(), Text(), Pages()
        self._devices = DeviceStates()
        self._fencing: FenceDevices | None = None
        self._changes: deque[tuple[Change, Engine]] = deque(maxlen=_BACKLOG)
        self._newest: deque[tuple[int, Event]] = deque(maxlen=trigger_facts.NEWEST)
        self._engine: Engine | None = None
        self._capacity: Publisher | None = None
        self._figures: capacity_figures.CapacityFigures | None = None
        self._published_at: float | None = None
        self._came_round_at = time.monotonic()
        self._ended = threading.Event()
        self._news, self._fresh = threading.Event(), threading.Event()

    def start(self) -> None:
        for work in (self._gather, self._write, self._serve):
            name = f"monitoring {work.__name__.strip('_')}"
            threading.Thread(target=work, name=name, daemon=True).start()

    def stop(self) -> None:
        """Return at once."""
        for each in (self._ended, self._news, self._fresh):
            each.set()
        if self._capacity:
            self._capacity.stop()

    # What the loop calls; each returns at once.

    def came_round(self) -> None:
        """The loop goes on."""
        self._came_round_at = time.monotonic()

    def lead(self, engine: Engine | None) -> None:
        """This trigger is the active one, with that engine; None: not any more."""
        self._engine = engine
        if self._capacity:
            self._capacity.stop()
            self._capacity = None
        self._figures = self._published_at = None
        if engine is not None:
            self._capacity = Publisher(
                publisher.command(self._parts.conf, publish.CAPACITY),
                self._parts.conf.health.capacity_interval,
                lambda: scope.busy(engine.state),
                self._troubles,
                self._take_figures,
                Trouble.CAPACITY,
            )
            self._capacity.start()

    def learn(self, change: Change, engine: Engine) -> None:
        """What a step has written down."""
        if change.events or change.closed:
            self._changes.append((change, engine))
            self._news.set()

    def published(self, taken_at: str) -> None:
        """What admission goes by is of that moment."""
        self._published_at = float(taken_at)

    def _take_figures(self, printed: str) -> None:
        """:raises codec.Unreadable: it says nothing that this version knows."""
        self._figures = capacity_figures.load(printed)

    # The threads.

    def _goes_on(self, news: threading.Event) -> bool:
        """Wait for news, but not for long. :returns: False at the end."""
        self._ended.wait(_BREATH)
        news.wait(_GLANCE - _BREATH)
        news.clear()
        return not self._ended.is_set()

    def _gather(self) -> None:
        while self._goes_on(self._news):
            try:
                if self._gathered.read(stands_by=self._engine is None):
                    self._fresh.set()
            except Exception as error:  # drivers raise anything
                self._gathered.fails(error)

    def _write(self) -> None:
        while self._goes_on(self._fresh):
            try:
                self.write()
                self._troubles.is_over(Trouble.MONITORING, Part.TEXTS)
            except Exception as error:  # a bug; the trigger goes on
                self._troubles.begins(Trouble.MONITORING, error, Part.TEXTS)

    def write(self) -> None:
        """Make all texts anew, of now."""
        found = self._facts()
        judged = found.judgement
        answers = Answers(judged.code, judged.line, found.alive)
        metrics = self._text.of(found, self._counts)
        self.pages.ready = Texts(answers, metrics, page_data.text(found))

    def _facts(self) -> TriggerFacts:
        engine, now = self._engine, self._clock.now()
        self._count()
        found = self._gathered.facts(now)
        if engine is not None and self._journal.active:
            report, devices = self._report(engine, now), self._devices.of(engine)
            found = trigger_facts.of_engine(engine, report, devices)
        return replace(
            found,
            alive=time.monotonic() - self._came_round_at < self._patience,
            capacity=self._figures,
            admission=self._admission(),
            pending=self._gathered.pending,
            newest=tuple(reversed(self._newest)),
        )

    def _count(self) -> None:
        if self._fencing is not self._parts.fencing:
            self._fencing = self._parts.fencing
            self._counts.know(self._fencing.methods.values())
        while self._changes:
            change, engine = self._changes.popleft()
            self._counts.learn(change, engine.state, engine.heard_at)
        while self._gathered.events:
            number, event = self._gathered.events.popleft()
            new = not self._newest or number > self._newest[-1][0]
            self._newest.append((number, event))
            if new and self._journal.active and number > self._gathered.before:
                self._counts.event(event)

    def _admission(self) -> AdmissionAge | None:
        if self._published_at is None:
            return None
        age = float(self._parts.conf.ha_scheduler.admission_max_age)
        return AdmissionAge(self._published_at, age)

    def _serve(self) -> None:
        server: WebServer | None = None
        stamp = self._place.stamp()
        while True:
            try:
                if server is None:
                    stamp = self._place.stamp()
                    server = WebServer(self._place, self.pages)
                    server.serve()
                    LOG.info("The page and the metrics are served at %s", self._place)
                elif stamp != self._place.stamp():
                    stamp = self._place.stamp()
                    server.context = self._place.context()
                    LOG.info("The certificate of %s was read again", self._place)
                self._troubles.is_over(Trouble.MONITORING)
            except OSError as error:
                where = f"[health] port {self._place.port} of {self._place.host}"
                words = f"{where}: {error.strerror or error}"
                self._troubles.begins(Trouble.MONITORING, words)
            except Exception as error:
                self._troubles.begins(Trouble.MONITORING, error)
            if self._ended.wait(_RETRY):
                break
        if server:
            server.stop()


class _Gathered:
    """What was read of the journal.

    :raises JournalError: at the beginning: it has to be known what is older.
    :ivar events: with their numbers, to be taken away.
    :ivar before: the number of the last event that is older than this process.
    """

    def __init__(self, parts: Parts, trigger: str, clock: Clock) -> None:
        self._trigger, self._clock = trigger, clock
        # A reader of its own: what it remembers is not what the loop's does.
        self._journal = SqlJournal(parts.database)
        self._history = History(parts.database)
        self._outboxes = _outboxes(parts)
        newest = self._history.events(HistoryQuery(limit=trigger_facts.NEWEST))
        self.events = deque(reversed(newest), maxlen=_BACKLOG)
        self.pending: Mapping[str, int] = {}
        self.before = newest[0][0] if newest else 0
        self._last = self.before
        self._facts = self._unknown("the journal was not read yet")

    def read(self, stands_by: bool) -> bool:
        """:returns: whether there are new events.

        :raises JournalError: it cannot be read.
        """
        before = self._last
        while found := self._history.after(self._last):
            self.events.extend(found)
            self._last = found[-1][0]
        self.pending = {
            name: 0 if box.last() is None else box.waiting()[0]
            for name, box in self._outboxes.items()
        }
        if stands_by:
            now = self._clock.now()
            known = health_facts.gather(self._journal, now)
            self._facts = trigger_facts.of_journal(self._trigger, known, now)
        return self._last != before

    def fails(self, error: Exception) -> None:
        self._facts = self._unknown(str(error))

    def facts(self, now: float) -> TriggerFacts:
        """What a trigger that stands by has to tell."""
        age = now - self._facts.now
        if abs(age) <= _STALE:
            return self._facts
        words = f"the journal was last read {age:.0f} s ago"
        return replace(self._facts, judgement=cannot_tell(words))

    def _unknown(self, why: str) -> TriggerFacts:
        return TriggerFacts(self._clock.now(), self._trigger, cannot_tell(why))


def _outboxes(parts: Parts) -> Mapping[str, Outbox]:
    """Of all who are sent events, by their names."""
    receivers = parts.receivers.items()
    found = {name: courier.outbox(parts.database, each) for name, each in receivers}
    if broker.sends(parts.conf):
        found[NOTIFICATIONS] = Outbox(parts.database)
    return found
