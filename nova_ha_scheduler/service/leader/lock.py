# SPDX-License-Identifier: Apache-2.0
"""A lock of tooz's, which says which of several triggers is next to be active.

It guards nothing: the journal's lease does, in the transaction of each write. So
what a backend forgets or gets wrong costs time, never safety.

A thread of its own keeps the lock: a backend that hangs holds up nobody else.
"""

import contextlib
import math
import os
import threading
from pathlib import Path
from typing import Any

import tooz
from oslo_config import cfg
from tooz import coordination

from nova_ha_scheduler.health.troubles import Trouble, Troubles

_AWAY = (coordination.ToozConnectionError, coordination.OperationTimedOut)

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def coordinator(conf: cfg.ConfigOpts, member: str) -> Any:
    """tooz's, of [coordination] backend_url; it is not asked yet.

    :param member: the name of this trigger, which no other one has.
    :raises Exception: whatever tooz and its drivers raise.
    """
    seconds = math.ceil(conf.journal.lease_timeout)
    return coordination.get_coordinator(
        conf.coordination.backend_url,
        member.encode(),
        lock_timeout=seconds,
        membership_timeout=seconds,
        timeout=max(1, seconds // 3),
    )


class Lock:
    """Taken, and kept or taken again, until stop().

    :ivar held: whether it is held, as far as is known here.
    :ivar wanted: whether it is to be held; else it is let go, for others to take. Not
        so the kernel's: who gets that one takes the lease at once, as from the dead.
    """

    def __init__(self, conf: cfg.ConfigOpts, member: str, troubles: Troubles) -> None:
        """:param member: the name of this trigger, which no other one has."""
        self._conf, self._member, self._troubles = conf, member, troubles
        self._interval = conf.journal.lease_timeout / 5
        self._coordinator: Any = None
        self._lock: Any = None
        self._stop, self._tried = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="lock", daemon=True)
        self.held, self.wanted = False, True

    def start(self) -> None:
        """Return when it was tried, or after a while with a backend that hangs.

        Who takes the lease without it is waited for when it dies, as one that may live.
        """
        self._thread.start()
        self._tried.wait(self._interval)

    def stop(self) -> None:
        """Let it go; a backend that hangs is not waited for."""
        self._stop.set()
        self._thread.join(2 * self._interval)

    @property
    def kernels(self) -> str:
        """What tells this lock from all others, if the kernel keeps it until its
        holder's process is gone; else "", as for one that is not held."""
        if not (self.held and self._is_file):
            return ""
        try:
            found = os.stat(os.fsdecode(self._lock.name))
            return f"{_BOOT_ID.read_text().strip()}/{found.st_dev}/{found.st_ino}"
        except OSError:
            return ""  # it was deleted: another one may hold a new file of its name

    @property
    def _is_file(self) -> bool:
        return bool(self._conf.coordination.backend_url.startswith("file:"))

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._keep()
                self._troubles.is_over(Trouble.COORDINATION)
            except Exception as error:  # tooz and its drivers raise anything
                # Begin anew; what may still be held there runs out.
                self._coordinator, self.held = None, False
                self._troubles.begins(Trouble.COORDINATION, error)
            self._tried.set()
            self._stop.wait(self._interval)
        with contextlib.suppress(Exception):
            if self.held:
                self._lock.release()
            if self._coordinator:
                self._coordinator.stop()

    def _keep(self) -> None:
        if self._coordinator is None:
            started = coordinator(self._conf, self._member)
            started.start()
            self._coordinator = started
        if not self.wanted and not self._is_file:
            if self.held:
                self._lock.release()
                self.held = False
        elif not self.held:
            name = self._conf.coordination.lock_name
            self._lock = self._coordinator.get_lock(name.encode())
            self.held = self._lock.acquire(blocking=False)
        elif not self._is_file:  # which needs no sign of life
            self._beat()

    def _beat(self) -> None:
        """Not the coordinator's, which logs a lost lock each time, and goes on."""
        try:
            self._lock.heartbeat()
        except tooz.ToozError as error:
            if isinstance(error, _AWAY):
                raise
            self.held = False  # it was lost: Redis says so, etcd does not
