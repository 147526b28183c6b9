# SPDX-License-Identifier: Apache-2.0
"""Which of several triggers is the active one, and for how long.

==============================  ==================================================
holds the journal's lease       is the active trigger; each of its writes is guarded
the lease is free               whoever comes first takes it
silent for lease_timeout        who holds the lock takes it, or anybody where no
                                [coordination] backend is named
silent for twice as long        anybody takes it: who holds the lock is stalled, or
                                the backend does not answer
its holder's process is gone    who holds the lock takes it at once; only where the
                                kernel keeps the lock (file://) can that be known
==============================  ==================================================

An active trigger that loses the lock, or the backend, goes on: the lease is enough.

The lease lives only while the loop goes round: a look that hangs for long shall not
keep those from working who could. A thread renews it, as a slow answer of the cloud is
no death; once the loop has stood still for patience(), it is left to run out, the lock
is let go, and after as long again, the trigger ends itself. Another thread sees to that
end: it neither writes a log nor asks anybody, as what hangs may be just that.
"""

import math
import threading
import time
from collections.abc import Callable

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha_scheduler.clock import Clock
from nova_ha_scheduler.cluster.conf import REQUEST_TIMEOUT
from nova_ha_scheduler.health.troubles import Part, Trouble, Troubles, plainly
from nova_ha_scheduler.journal import JournalError, NotActive
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.service.leader import coordination

LOG = logging.getLogger(__name__)

_PATIENCE = 2.0
"""How many lease_timeouts those wait who do not hold the lock."""


_REQUESTS, _LEASES = 3.0, 4.0
"""See patience()."""


def patience(conf: cfg.ConfigOpts) -> float:
    """Seconds after which a loop that has not come round is stuck: one look is some
    requests one after the other, each of which may take [cloud] timeout."""
    request = float(conf.cloud.timeout or REQUEST_TIMEOUT)
    return max(_REQUESTS * request, _LEASES * float(conf.journal.lease_timeout))


def longest_effect(conf: cfg.ConfigOpts, power_off: float) -> float:
    """Seconds after which a power-off or a request hangs for good: twice as long as all
    its time-outs allow.

    :param power_off: as long as all time-outs of one host's fence devices allow.
    """
    return 2 * (patience(conf) + power_off)


class Leadership:
    """One trigger's part in it."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        journal: SqlJournal,
        clock: Clock,
        troubles: Troubles,
        patience: float = math.inf,
        stuck: Callable[[], None] = lambda: None,
    ) -> None:
        """
        :param patience: seconds for which the loop may stand still.
        :param stuck: ends this process, whose loop stands still for good.
        """
        self._patience, self._stuck = patience, stuck
        now = time.monotonic()
        self._progressed_at = self._came_round_at = self._watched_at = now
        self._is_stuck = False
        self._journal, self._clock, self._troubles = journal, clock, troubles
        self._interval = conf.journal.lease_timeout / 5
        self._lock = coordination.lock(conf, journal.owner, troubles)
        self._stands_by = False
        self._leads, self._ended = threading.Event(), threading.Event()

    @property
    def leads(self) -> bool:
        """Whether this trigger is the active one, as far as it has learned."""
        return self._leads.is_set()

    def progress(self, works: bool = True) -> None:
        """The loop has come round; to be called from it alone.

        :param works: whether its steps do what they should; while each one breaks, that
            is no reason to keep the lease, but one to go on trying.
        """
        self._came_round_at = time.monotonic()
        if works:
            self._progressed_at = self._came_round_at

    def start(self) -> None:
        if self._lock:
            self._lock.start()
        threading.Thread(target=self._keep_lease, name="lease", daemon=True).start()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def acquire(self) -> bool:
        """Try to become the active trigger; if not, wait a little before you return.

        What this one has learned before is worth nothing then: load again.
        """
        try:
            taken = self._take()
            self._troubles.is_over(Trouble.JOURNAL, Part.LEASE)
        except NotActive:
            taken = False
        except JournalError as error:
            taken = False
            self._troubles.begins(Trouble.JOURNAL, error, Part.LEASE)
        if taken:
            self.progress()
            self._stands_by = False
            self._leads.set()
        else:
            self._say_standing_by()
            self._ended.wait(self._interval)
        return taken

    def _say_standing_by(self) -> None:
        if not self._stands_by:
            self._stands_by = True
            LOG.info("This trigger stands by; another one is active.")

    def lose(self) -> None:
        """Another trigger was found to be the active one."""
        if self.leads:
            self._leads.clear()
            plainly(
                LOG.warning,
                "Another trigger is the active one now. This trigger had stalled, or "
                "could not reach the journal, for [journal] lease_timeout seconds. "
                "This trigger stands by. Find out what stalled it.",
            )

    def stop(self) -> None:
        """Wait for nothing more; to be called from anywhere."""
        self._ended.set()

    def release(self) -> None:
        """Let another trigger take over at once."""
        self.stop()
        try:
            if self.leads and self._journal.active:
                self._journal.release()
                LOG.info("This trigger ends, and leaves the lease to another one.")
        except JournalError as error:
            self._troubles.begins(Trouble.JOURNAL, error, Part.LEASE)
        self._leads.clear()
        if self._lock:
            self._lock.stop()  # only now: who gets it finds the lease free

    def give_up(self, what: str, whom: str, seconds: float) -> None:
        """End the process, in which something hangs that nothing else can end: a file
        system or a resolver, which know no time-outs."""
        self.release()
        LOG.error(
            "%s of %s has not ended within %s s, and nothing in this process can end "
            "it. The process ends itself, so that another trigger, or a new process, "
            "goes on.",
            what,
            whom,
            round(seconds),
        )
        self._stuck()

    def _take(self) -> bool:
        lock, before = self._lock, self._journal.holder()
        next_one = lock is None or lock.held
        patience = 1.0 if next_one else _PATIENCE
        if not self._journal.acquire(patience, lock.kernels if lock else ""):
            return False
        owner = self._journal.owner
        LOG.info("This trigger is the active one: %s", owner)
        kind, reason = EventKind.TRIGGER_ACTIVE, ""
        if before:
            why = Reason.TRIGGER_SILENT if next_one else Reason.LOCK_HOLDER_SILENT
            kind, reason = EventKind.TRIGGER_REPLACED, why.sentence(before)
            LOG.warning("%s", reason)
        event = Event(kind, self._clock.now(), how=owner, reason=reason)
        self._journal.commit(Change(events=(event,)))
        return True

    def _stands_still(self) -> bool:
        """Whether the loop has not come round for so long that the lease is left."""
        idle = time.monotonic() - self._progressed_at
        is_stuck = idle > self._patience
        if self._lock:
            self._lock.wanted = not is_stuck
        if self.leads and is_stuck and not self._is_stuck:
            self._is_stuck = True
            LOG.error(
                "This trigger's loop has stood still for %s s. The trigger leaves "
                "the lease to another trigger. Find out which service does not "
                "answer. If the loop stands still for as long again, the process "
                "ends itself.",
                round(idle),
            )
        self._is_stuck = is_stuck
        return is_stuck

    def _keep_lease(self) -> None:
        """A slow answer of the cloud must not look like the trigger's death."""
        while not self._ended.wait(self._interval):
            if self._stopped() or self._stands_still() or not self.leads:
                continue
            try:
                self._journal.renew()
                # Where that was not needed, another write has just renewed it.
                self._troubles.is_over(Trouble.JOURNAL, Part.LEASE)
            except NotActive:
                self.lose()
            except Exception as error:  # drivers raise anything
                self._troubles.begins(Trouble.JOURNAL, error, Part.LEASE)

    def _watch(self) -> None:
        """End the process whose loop stands still for good; see above."""
        self._watched_at = time.monotonic()
        while not self._ended.wait(self._interval):
            stopped = self._stopped()
            now = self._watched_at = time.monotonic()
            if stopped:
                self._progressed_at = min(now, self._progressed_at + stopped)
                self._came_round_at = min(now, self._came_round_at + stopped)
            if now - self._came_round_at > 2 * self._patience:
                self._stuck()

    def _stopped(self) -> float:
        """Seconds for which nothing of this process has run, if that was long.

        A process that was stopped as a whole has no loop that is stuck: the time for
        which the watchdog did not run either does not count.
        """
        missed = time.monotonic() - self._watched_at - self._interval
        return missed if missed > self._interval else 0.0
