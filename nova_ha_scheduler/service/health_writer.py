# SPDX-License-Identifier: Apache-2.0
"""Writes the active trigger's report, and each trigger's health.json.

In a thread of its own: a step that is stuck is what the report has to tell, too.
"""

import threading
from collections.abc import Hashable
from dataclasses import replace

from oslo_log import log as logging

from nova_ha_scheduler.clock import Clock
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.engine import Engine
from nova_ha_scheduler.health import file
from nova_ha_scheduler.health.judgement import (
    JournalFacts,
    Judgement,
    cannot_tell,
    judge,
)
from nova_ha_scheduler.health.report import HostNote, Report, Standing
from nova_ha_scheduler.health.troubles import Part, Trouble, Troubles
from nova_ha_scheduler.journal import JournalError, NotActive, health_facts
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.service.parts import Parts

LOG = logging.getLogger(__name__)

_SECONDS = 5.0
"""Between two reports in quiet times, at most: a trigger that has to wait for a slow
database, or for its turn on a busy machine, is not to look dead."""

_GLANCE = 0.5
"""Seconds between two looks whether something has changed."""


class Writer:
    """Of one trigger; what it cannot write holds up nothing."""

    def __init__(
        self,
        parts: Parts,
        journal: SqlJournal,
        clock: Clock,
        troubles: Troubles,
        patience: float,
    ) -> None:
        """:param patience: seconds after which a loop that stands still is stuck."""
        self._parts, self._journal = parts, journal
        self._clock, self._troubles = clock, troubles
        self._valid = parts.conf.journal.lease_timeout
        self._patience = patience
        self._interval = min(_SECONDS, self._valid / 5)
        # Who evacuates one host by hand is not the trigger of this machine.
        self._directory = "" if parts.only else parts.conf.health.directory
        self._engine: Engine | None = None
        self._stepped_at = 0.0
        self._ended = threading.Event()
        self._written = self._told = _NOTHING

    def start(self) -> None:
        threading.Thread(target=self._run, name="health", daemon=True).start()

    def stop(self) -> None:
        """Return at once."""
        self._ended.set()

    def lead(self, engine: Engine | None) -> None:
        """This trigger is the active one, with that engine; None: not any more."""
        self._stepped_at = self._clock.now()
        self._engine = engine

    def stepped(self) -> None:
        """A step has ended, or a look whether there is one to make."""
        self._stepped_at = self._clock.now()

    def _run(self) -> None:
        while not self._ended.wait(min(_GLANCE, self._interval)):
            try:
                self._write()
            except Exception as error:  # a bug; the trigger goes on
                self._troubles.begins(Trouble.HEALTH, error)

    def _write(self) -> None:
        now, engine = self._clock.now(), self._engine
        if engine is not None:
            found = self.report(engine, now)
            self._keep(found)
            self._publish(
                judge(JournalFacts(engine.state, found.owner, found), now), now
            )
            return
        # Who stands by keeps no reports.
        self._troubles.is_over(Trouble.JOURNAL, Part.REPORT)
        if self._directory and self._told.is_due(now, self._interval):
            self._publish(self._from_journal(now), now)

    def report(self, engine: Engine, now: float) -> Report:
        """What the active trigger has to say now."""
        devices, options = engine.devices, self._parts.options
        standing = self._troubles.standing()
        answers = self._parts.fencing.answers
        return Report(
            owner=self._journal.owner,
            at=now,
            valid=self._valid,
            skew=options.clock_skew,
            stepped_at=self._stepped_at,
            patience=self._patience,
            seen_at=engine.seen_at,
            settles_at=suspicion.settles_at(engine.state.guard, now, options),
            troubles=tuple(Standing(t.name, at, words) for t, at, words in standing),
            protected=devices.protected,
            aside=devices.aside,
            unfenceable=_hosts(devices.unfenceable),
            broken=_hosts(devices.broken),
            shut_out=_hosts(devices.shut_out),
            misspelt=_hosts(devices.misspelt),
            answers=_hosts(answers),
            only=tuple(self._parts.only),
        )

    def _keep(self, found: Report) -> None:
        """Write it into the journal, if it is time, or says something new."""
        now, content = found.at, _content(found)
        if not self._written.is_due(now, self._interval, content):
            return
        try:
            self._journal.put_report(found, now - found.stepped_at <= found.patience)
        except NotActive:
            return  # the next step learns it, too
        except JournalError as error:
            self._troubles.begins(Trouble.JOURNAL, error, Part.REPORT)
            return
        self._troubles.is_over(Trouble.JOURNAL, Part.REPORT)
        self._written = _Written(now, content)

    def _from_journal(self, now: float) -> Judgement:
        """What a trigger that stands by can say."""
        try:
            return judge(health_facts.gather(self._journal, now), now)
        except JournalError as error:
            return cannot_tell(str(error))

    def _publish(self, judgement: Judgement, now: float) -> None:
        """Write health.json, if it is time, or says something new."""
        content = judgement.code, tuple((p.kind, p.host) for p in judgement.problems)
        if not self._directory:
            return
        if not self._told.is_due(now, self._interval, content):
            return
        self._told = _Written(now, content)
        owner = self._journal.owner
        try:
            file.write(self._directory, judgement, owner, now, self._valid)
        except OSError as error:
            words = f"{self._directory}: {error.strerror}"
            self._troubles.begins(Trouble.HEALTH, words)
        else:
            self._troubles.is_over(Trouble.HEALTH)


class _Written:
    """What was written last, and when."""

    def __init__(self, at: float, content: Hashable) -> None:
        self._at, self._content = at, content

    def is_due(self, now: float, interval: float, content: Hashable = None) -> bool:
        """Whether to write again; :param content: what there is to say."""
        news = content is not None and content != self._content
        return news or abs(now - self._at) >= interval


_NOTHING = _Written(float("-inf"), None)


def _hosts(found: "dict[str, tuple[float, str]]") -> tuple[HostNote, ...]:
    return tuple(HostNote(host, *said) for host, said in sorted(found.items()))


def _content(found: Report) -> Hashable:
    """What is new if it changes; the times, and a trouble's words, may."""
    names = tuple(standing.trouble for standing in found.troubles)
    return replace(
        found,
        at=0.0,
        stepped_at=0.0,
        seen_at=None if found.seen_at is None else 0.0,
        troubles=tuple(Standing(name, 0.0, "") for name in names),
    )
