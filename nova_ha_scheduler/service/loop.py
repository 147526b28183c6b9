# SPDX-License-Identifier: Apache-2.0
"""The engine in a process: when it steps, and when it looks at the cloud.

It steps when an effect has ended, and looks at the cloud at an interval, when a
notification or a command has arrived, and when a step needs to see more. What Nova
notifies is a reason to look, and never believed.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.evacuation.decisions import Decision
from nova_ha_scheduler.evacuation.detection import scope
from nova_ha_scheduler.evacuation.engine import Engine
from nova_ha_scheduler.health.troubles import Part, Trouble, Troubles
from nova_ha_scheduler.journal import JournalError, NotActive
from nova_ha_scheduler.journal.kept_decisions import MIB, Decisions
from nova_ha_scheduler.journal.outbox import Outbox
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.printable import one_line
from nova_ha_scheduler.records.events import TROUBLES, Event, EventKind
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.service import publisher
from nova_ha_scheduler.service.execution.executor import PoolExecutor
from nova_ha_scheduler.service.health_writer import Writer
from nova_ha_scheduler.service.leader.leadership import (
    Leadership,
    longest_effect,
    patience,
)
from nova_ha_scheduler.service.monitoring.server import WebPlace
from nova_ha_scheduler.service.notifications import broker
from nova_ha_scheduler.service.notifications.courier import Couriers
from nova_ha_scheduler.service.notifications.updates import (
    RebuildBegun,
    Update,
    Updates,
)
from nova_ha_scheduler.service.pace import Pace
from nova_ha_scheduler.service.parts import Parts
from nova_ha_scheduler.service.reload import Reloader
from nova_ha_scheduler.service.systemd import Notifier
from nova_ha_scheduler.spool.taker import Taker

if TYPE_CHECKING:
    from nova_ha_scheduler.service.monitoring.monitor import Monitor

LOG = logging.getLogger(__name__)

_COMMANDS_SECONDS = 0.5
"""How often the journal is asked for new commands."""

_RETRY_SECONDS = 1.0
"""After a step that broke."""


class Service:
    """One trigger; of several on one journal, one is active at a time."""

    def __init__(
        self,
        parts: Parts,
        listens: bool = True,
        notifier: Notifier | None = None,
        load: Callable[[], cfg.ConfigOpts] | None = None,
        stuck: Callable[[], None] | None = None,
    ) -> None:
        """
        :param listens: to Nova's notifications; each goes to one of a pool.
        :param notifier: tells systemd how it goes.
        :param load: reads nova-ha.conf anew, for a reload.
        :param stuck: ends the process, in which nothing goes on any more.
        """
        broker.load(parts.conf)
        self._listens = listens
        self._parts, self._conf = parts, parts.conf
        self._clock, self._troubles = SystemClock(), Troubles()
        self._notifier = notifier or Notifier({})
        self._reloader = Reloader(parts, self._troubles, load, self._notifier)
        self.journal = SqlJournal(parts.database, self._conf.journal.lease_timeout)
        self._patience = patience(self._conf)
        self._ends_itself = stuck is not None
        self._leadership = Leadership(
            self._conf,
            self.journal,
            self._clock,
            self._troubles,
            self._patience,
            stuck or (lambda: None),
        )
        known = parts, self.journal, self._clock, self._troubles
        self._health = Writer(*known, self._patience)
        # Who evacuates one host by hand is not the trigger of this machine.
        directory = "" if parts.only else self._conf.words.directory
        self._monitor = self._monitored()
        self._words = Taker(directory, self.journal)
        self._stop, self._wake = threading.Event(), threading.Event()
        self._couriers = Couriers(parts, lambda: self.journal.active, self._troubles)
        self._updates = Updates()
        self._pauses: frozenset[str] = frozenset()
        self._untold: list[Event] = []
        self._acts_as = ""

    def _monitored(self) -> "Monitor | None":
        """Who tells others, if anybody may ask."""
        place = None if self._parts.only else WebPlace.of(self._conf)
        if place is None:
            return None
        from nova_ha_scheduler.service.monitoring.monitor import Monitor

        known = self._parts, self.journal, self._clock, self._troubles
        return Monitor(place, *known, self._health.report, self._patience)

    def stop(self) -> None:
        """Let run() return soon; effects under way end by themselves."""
        self._notifier.stopping()
        self._stop.set()
        self._leadership.stop()
        self._wake.set()

    def abandon(self) -> None:
        """Let another trigger take over from a process that is about to be ended: what
        is under way in it is lost, which the journal is made for."""
        threads = (thread.name for thread in threading.enumerate() if thread.is_alive())
        words = ", ".join(sorted(set(threads) - {"MainThread"}))
        self._leadership.release()  # first: what hangs may be the log
        LOG.warning("These threads did not end in time: %s", words)

    def reload(self) -> None:
        """Read nova-ha.conf and the fencing file anew, soon."""
        self._reloader.ask()
        self._wake.set()

    def run(self) -> None:
        """Work until stop(), as the active trigger or waiting to become it."""
        self._sender = broker.start_sender(
            self._conf,
            Outbox(self._parts.database),
            lambda: self.journal.active,
            self._troubles,
        )
        self._couriers.start()
        self._leadership.start()
        self._health.start()
        self._words.start()
        if self._monitor:
            self._monitor.start()
        try:
            while not self._stop.is_set():
                if self._leadership.acquire():
                    self._lead()
                else:
                    self._reloader.look()
                    self._live("stands by")
        finally:
            self._health.stop()
            self._words.stop()
            if self._monitor:
                self._monitor.stop()
            self._leadership.release()

    def _live(self, status: str) -> None:
        """Tell systemd that the loop goes on, and how it is. While steps break, time
        after time, it does not go on: only another life may help."""
        standing = (trouble for trouble, *_ in self._troubles.standing())
        works = Trouble.STEP not in standing
        self._leadership.progress(works)
        if works:
            if self._monitor:
                self._monitor.came_round()
            self._notifier.ready()
            self._notifier.alive()
        self._notifier.status(status)

    def _hear(self, update: Update, executor: PoolExecutor) -> None:
        self._updates.put(update)
        if isinstance(update, RebuildBegun):
            executor.claimed([update.server])  # no reason to look
            return
        self._wake.set()

    def _lead(self) -> None:
        """Be the active trigger, until another one is."""
        executor = PoolExecutor(
            self._parts.world,
            self._clock,
            self._conf.evacuation.workers,
            self._wake.set,
            self._conf.fencing.check_parallelism,
            lambda: self.journal.active,
            lambda intent: engine.withholds(intent),
            lambda intent: engine.priority(intent),
        )
        kept, keeper = self._conf.journal, ThreadPoolExecutor(1)
        decisions = Decisions(self._parts.database, kept.decisions_size * MIB)

        def keep(decision: Decision) -> None:
            keeper.submit(decisions.keep, decision)

        engine = Engine(
            self._parts.world,
            self._clock,
            self.journal,
            executor,
            self._parts.options,
            keep if kept.keep_decisions else None,
        )
        pace = Pace(engine, executor, self._conf)
        admission = publisher.Publisher(
            publisher.command(self._conf),
            self._conf.admission.publish_interval,
            lambda: scope.busy(engine.state),
            self._troubles,
            self._monitor.published if self._monitor else lambda printed: None,
        )
        admission.start()
        listener = None
        if self._listens:
            hear = functools.partial(self._hear, executor=executor)
            listener = broker.start_listener(self._conf, hear, self._troubles)
        self._lead_with(engine)
        try:
            self._notifier.starting(self._patience)
            while self._leadership.leads and not self._stop.is_set():
                self._turn(engine, pace)
                self._take_reload(engine, pace)
                self._live(self._status(engine))
                self._require_ends(executor)
        except NotActive:
            self._leadership.lose()
        finally:
            self._lead_with(None)
            self._troubles.is_over(Trouble.JOURNAL, Part.LOOP)  # the lease shows it
            executor.close()
            admission.stop()
            if listener:
                listener.stop()
            keeper.shutdown(wait=False)

    def _lead_with(self, engine: Engine | None) -> None:
        """Let those know who tell what the active trigger sees."""
        self._health.lead(engine)
        self._acts_as = ""
        if self._monitor:
            self._monitor.lead(engine)

    def _require_ends(self, executor: PoolExecutor) -> None:
        """Whoever takes over from a process in which an effect hangs, or its own next
        life, asks what has become of the effect, and goes on."""
        longest = executor.longest()
        limit = longest_effect(self._conf, self._parts.fencing.seconds)
        if self._ends_itself and longest and longest[0] > limit:
            seconds, intent = longest
            whom = intent.server or intent.host
            self._leadership.give_up(intent.effect.value, whom, seconds)

    def _take_reload(self, engine: Engine, pace: "Pace") -> None:
        """Go by what was read anew: hosts that wait for a device are tried with it."""
        changed = self._reloader.look()
        if changed is not None:
            engine.use(self._parts.options, changed)
            pace.hurry()

    def _status(self, engine: Engine) -> str:
        """A line for people."""
        hosts = engine.state.hosts.values()
        under_way = sum(scope.is_under_way(host) for host in hosts)
        words = f"active; recoveries under way: {under_way}" if under_way else "active"
        troubles = (trouble.value[0] for trouble, *_ in self._troubles.standing())
        return "; ".join((words, *troubles))

    def _turn(self, engine: Engine, pace: "Pace") -> None:
        """Wait for something to do, and do it; whatever breaks is tried again.

        :raises NotActive: another trigger is active.
        """
        try:
            self._wake.wait(min(pace.rest(), _COMMANDS_SECONDS))
            self._wake.clear()
            stepped = self._step(engine, pace)
            self._tell()
            if stepped:  # all that was decided is written down
                self._troubles.is_over(Trouble.JOURNAL, Part.LOOP)
            self._health.stepped()
        except NotActive:
            raise
        except JournalError as error:
            self._troubles.begins(Trouble.JOURNAL, error, Part.LOOP)
            self._stop.wait(_RETRY_SECONDS)
        except Exception as error:
            self._troubles.begins(Trouble.STEP, error)
            self._stop.wait(_RETRY_SECONDS)

    def _step(self, engine: Engine, pace: "Pace") -> bool:
        """:returns: whether there was one, or it was due: the journal was used."""
        news = self._take_updates(engine, pace)
        written = self.journal.load(self._clock.now())
        paused, self._pauses = self._pauses, frozenset(written.pauses)
        ordered = paused != self._pauses
        if not pace.due(news, ordered, frozenset(written.commands)):
            return False
        try:
            change = pace.step(self._troubles.outage())
        except CloudUnreachable as error:
            if self._troubles.begins(Trouble.CLOUD, error):
                words, todo, _ = Trouble.CLOUD.value
                self._say(EventKind.BLIND, f"{words}: {one_line(error)}. {todo}")
            return True
        if self._monitor:
            self._monitor.learn(change, engine)
        for event in change.events:
            bad = event.kind in TROUBLES
            LOG.log(logging.WARNING if bad else logging.INFO, "%s", event)
        self._troubles.is_over(Trouble.STEP)
        if engine.left_out:
            self._troubles.begins(Trouble.LEFT_OUT, _words(engine.left_out))
        else:
            self._troubles.is_over(Trouble.LEFT_OUT)
        if unread := engine.unread.there:
            self._troubles.begins(Trouble.UNREADABLE, unread)
        else:
            self._troubles.is_over(Trouble.UNREADABLE)
        if pace.looked and self._troubles.is_over(Trouble.CLOUD):
            self._say(EventKind.SIGHTED, Trouble.CLOUD.value[-1])
        if pace.looked:
            self._tell_user()
        if change.events:
            self._couriers.wake()
            if self._sender:
                self._sender.wake()
        return True

    def _tell_user(self) -> None:
        """As whom this trigger acts, once it has seen the cloud, and when that has
        changed. The token is there: nobody is asked for it."""
        with contextlib.suppress(CloudUnreachable):
            user = self._parts.api.user()
            if user and user != self._acts_as:
                self._acts_as = user
                at = self._clock.now()
                self._untold.append(Event(EventKind.LOGGED_IN, at, how=user))

    def _take_updates(self, engine: Engine, pace: "Pace") -> bool:
        """Write down which hosts were forced down, and whether there is any news."""
        state, now = engine.state, self._clock.now()
        began = {h.host: h.started_at for h in state.hosts.values() if not h.ended_at}
        under_way = {s.server for s in state.servers.values() if s.is_under_way(now)}
        news = self._updates.take(engine.hosts, under_way, began, now)
        pace.hear_of(news.begun, news.ended)
        for host in news.down:
            self._parts.world.expect(host)
        self._untold += [
            Event(EventKind.HOST_NOTIFIED, update.sent_at, update.host)
            for update in news.untold
        ]
        self._tell()
        return bool(news.changed)

    def _say(self, kind: EventKind, reason: str) -> None:
        self._untold.append(Event(kind, self._clock.now(), reason=reason))

    def _tell(self) -> None:
        """Write down what the service itself has to tell; what cannot be written now
        is not lost."""
        if self._untold:
            self.journal.commit(Change(events=tuple(self._untold)))
            self._untold.clear()


def _words(left_out: Mapping[str, Exception]) -> str:
    found = left_out.items()
    return "; ".join(f"{name}: {type(e).__name__}: {e}" for name, e in found)
