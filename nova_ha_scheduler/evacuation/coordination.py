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

from nova_ha_scheduler.evacuation.troubles import Trouble, Troubles

GROUP = cfg.OptGroup(
    "coordination",
    title="Coordination",
    help="Which of several triggers on one journal is next to be active. The journal's "
    "lease decides it and guards every write, also where a backend is named here.",
)

OPTS = [
    cfg.StrOpt(
        "backend_url",
        default="",
        secret=True,
        help="A backend of tooz whose lock the next active trigger has to hold. Empty, "
        "the default: the journal's lease alone, which needs nothing else. "
        "file:///var/lib/nova-ha-scheduler/lock: triggers on one machine; when the "
        "active one dies, the kernel frees the lock and another takes over at once. "
        "etcd3+http://HOST:2379 (or etcd3+https, with ca_cert, cert_key, cert_cert; "
        "pip install tooz[etcd3gw]) and redis://:PASSWORD@HOST:6379 (with sentinel "
        "and sentinel_fallback; pip install tooz[redis]): a lock that is lost "
        "[journal] lease_timeout after the holder's last sign of life. Where the "
        "backend does not answer, or its lock is held by a trigger that does nothing, "
        "another takes over after twice [journal] lease_timeout.",
    ),
    cfg.StrOpt(
        "lock_name",
        default="nova-ha-evacuator",
        regex=r"^[\w.-]+$",
        help="The lock's name: the same for all triggers on one journal, another for "
        "those on another journal.",
    ),
]

_DRIVERS = ("etcd3+http", "etcd3+https", "file", "redis")

_AWAY = (coordination.ToozConnectionError, coordination.OperationTimedOut)

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; doing so again does nothing."""
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, OPTS)]


def check(conf: cfg.ConfigOpts) -> None:
    """Make sure that the backend is one that can be used; it is not asked.

    :raises cfg.Error: a sentence that names the option.
    """
    if not (url := conf.coordination.backend_url):
        return
    scheme = url.partition("://")[0]
    if scheme not in _DRIVERS:
        raise cfg.Error(
            f"[coordination] backend_url: {scheme}:// has no lock that a stalled "
            f"trigger loses; use one of {', '.join(f'{d}://' for d in _DRIVERS)}, or "
            "leave it empty: the journal's own lease is one in its database"
        )
    try:
        _coordinator(conf, "check")
    except Exception as error:  # tooz and its drivers raise anything
        extra = "etcd3gw" if scheme.startswith("etcd3") else scheme
        raise cfg.Error(
            f"[coordination] backend_url: the driver of {scheme}:// cannot be used "
            f"({error}); is tooz[{extra}] installed?"
        ) from error


def _coordinator(conf: cfg.ConfigOpts, member: str) -> Any:
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
    """

    def __init__(self, conf: cfg.ConfigOpts, member: str, troubles: Troubles) -> None:
        """:param member: the name of this trigger, which no other one has."""
        self._conf, self._member, self._troubles = conf, member, troubles
        self._interval = conf.journal.lease_timeout / 5
        self._coordinator: Any = None
        self._lock: Any = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lock", daemon=True)
        self.held = False

    def start(self) -> None:
        self._thread.start()

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
            self._stop.wait(self._interval)
        with contextlib.suppress(Exception):
            if self.held:
                self._lock.release()
            if self._coordinator:
                self._coordinator.stop()

    def _keep(self) -> None:
        if self._coordinator is None:
            coordinator = _coordinator(self._conf, self._member)
            coordinator.start()
            self._coordinator = coordinator
        if not self.held:
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
