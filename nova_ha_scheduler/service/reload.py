# SPDX-License-Identifier: Apache-2.0
"""nova-ha.conf and the fencing file, read anew while the service runs.

================================  ================================================
SIGHUP                            both are read
the fencing file has changed      it is read, once it has not changed for a second
the file cannot be used           nothing changes, and the reason is told
the entry of one host cannot be   that host keeps what it had, the others get theirs
an option needs a restart         it is named, and the rest is taken
================================  ================================================

A thread reads and judges: a fence agent that does not say what options it has, or a
file system that hangs, holds up nobody. The loop takes what was found.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha_scheduler.fencing import FencingFileError
from nova_ha_scheduler.fencing.config import FenceDevices
from nova_ha_scheduler.health.troubles import Trouble, Troubles, plainly
from nova_ha_scheduler.printable import first_of, one_line
from nova_ha_scheduler.service.notifications import broker
from nova_ha_scheduler.service.parts import Parts
from nova_ha_scheduler.service.systemd import Notifier
from nova_ha_scheduler.witnesses import EnabledWitnesses

LOG = logging.getLogger(__name__)

_SETTLED_SECONDS = 1.0
"""For which a file has to be the same: an editor may still be writing it."""

_MANY = 10
"""Hosts that are named one by one."""

_OSLO = "oslo_config.cfg"

Stamp = tuple[int, ...] | None


@dataclass(frozen=True)
class _Found:
    """What the thread has read.

    :ivar parts: of a new configuration, if one was asked for and can be used.
    :ivar fencing: None: it cannot be used.
    :ivar problem: why, for the trouble that it is.
    """

    parts: Parts | None = None
    fencing: FenceDevices | None = None
    problem: tuple[Trouble, str] | None = None


class Reloader:
    """Of one service."""

    def __init__(
        self,
        parts: Parts,
        troubles: Troubles,
        load: Callable[[], cfg.ConfigOpts] | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        """:param load: reads nova-ha.conf; None: the fencing file alone is read."""
        self._parts, self._troubles, self._load = parts, troubles, load
        self._notifier = notifier or Notifier({})
        self._asked = threading.Event()
        self._thread: threading.Thread | None = None
        self._whole = False
        self._found = _Found()
        self._read = self._seen = self._stamp()
        self._seen_at = self._looked_at = time.monotonic()
        for host, why in sorted(parts.fencing.unusable.items()):
            LOG.warning(
                "The fencing file's entry of host %s cannot be used: %s", host, why
            )

    def ask(self) -> None:
        """Read everything anew, soon; from any thread, and from a signal's handler."""
        self._asked.set()

    def look(self) -> frozenset[str] | None:
        """Begin to read if there is something new, and take what has been read.

        To be called from the loop. :returns: the hosts that are fenced by something
        else than before, if anything was taken.
        """
        if self._thread is not None:
            if self._thread.is_alive():
                return None
            self._thread = None
            try:
                return self._take(self._found)
            except Exception as error:  # saved once more since it was judged, say
                self._refuse(Trouble.CONFIGURATION, _unforeseen(error))
                return None
            finally:
                if self._whole:
                    self._notifier.reloaded()
        if self._asked.is_set():
            self._asked.clear()
            self._begin(whole=self._load is not None)
        elif self._has_changed():
            self._begin(whole=False)
        return None

    def _begin(self, whole: bool) -> None:
        self._whole, self._read = whole, self._stamp()
        if whole:
            self._notifier.reloading()
        self._thread = threading.Thread(target=self._run, name="reload", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._found = _Found()  # nothing, if this thread breaks
        self._found = self._read_all() if self._whole else self._read_fencing()

    def _read_all(self) -> _Found:
        assert self._load is not None
        try:
            parts = Parts(self._load())  # judged by what judges it at the start
        except cfg.Error as error:
            of_file = isinstance(error, FencingFileError)
            trouble = Trouble.FENCING_FILE if of_file else Trouble.CONFIGURATION
            return _Found(problem=(trouble, one_line(error)))
        except Exception as error:
            return _Found(problem=(Trouble.CONFIGURATION, _unforeseen(error)))
        return _Found(parts, parts.fencing)

    def _read_fencing(self) -> _Found:
        try:
            return _Found(fencing=FenceDevices.from_conf(self._parts.conf))
        except Exception as error:
            return _Found(problem=(Trouble.FENCING_FILE, one_line(error)))

    def _take(self, found: _Found) -> frozenset[str] | None:
        if found.problem:
            self._refuse(*found.problem)
        if found.parts:
            self._take_options(found.parts.conf)
        if found.fencing is None:
            return None
        new = found.fencing.keeping(self._parts.fencing)
        changed = new.differs_in(self._parts.fencing)
        self._parts.fence_with(new)
        self._tell_unusable(new)
        names = sorted(changed)
        words = f": {first_of(names, _MANY)}" if names else ""
        LOG.info(
            "The fencing file was read again: %d hosts, of which %d are fenced in "
            "another way than before%s",
            len(new.methods),
            len(changed),
            words,
        )
        return changed

    def _refuse(self, trouble: Trouble, words: str) -> None:
        """Each time: somebody has just tried to mend it."""
        if not self._troubles.begins(trouble, words):
            plainly(LOG.error, "%s: %s", trouble.value[0], words)

    def _tell_unusable(self, fencing: FenceDevices) -> None:
        if not fencing.unusable:
            self._troubles.is_over(Trouble.FENCING_FILE)
            return
        found = sorted(fencing.unusable.items())
        self._refuse(
            Trouble.FENCING_FILE,
            "; ".join(f"host {name}: {why}" for name, why in found),
        )

    def _take_options(self, new: cfg.ConfigOpts) -> None:
        """oslo.config changes what is mutable; of the rest it says that it ignores
        it, which is not all that an operator should know."""
        conf, talk = self._parts.conf, logging.getLogger(_OSLO).logger
        level = talk.level
        talk.setLevel(logging.ERROR)
        try:
            changed = conf.mutate_config_files()
        finally:
            talk.setLevel(level)
        self._parts.options = self._parts.options_of(conf)
        self._parts.world.judge_by(self._parts.options.policy)
        self._parts.world.witness_by(EnabledWitnesses(conf))
        self._troubles.is_over(Trouble.CONFIGURATION)
        names = sorted(f"[{group or 'DEFAULT'}] {name}" for group, name in changed)
        LOG.info(
            "nova-ha.conf was read again; changed: %s", ", ".join(names) or "nothing"
        )
        if kept := sorted(_differing(conf, new)):
            LOG.warning(
                "These changes in nova-ha.conf need a restart of nova-ha-evacuator: %s",
                ", ".join(kept),
            )

    def _has_changed(self) -> bool:
        """Whether the file is another one than was read, and nobody writes it now."""
        now = time.monotonic()
        if now - self._looked_at < _SETTLED_SECONDS / 2:
            return False
        self._looked_at = now
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen, self._seen_at = stamp, now
        return stamp != self._read and now - self._seen_at >= _SETTLED_SECONDS

    def _stamp(self) -> Stamp:
        """None: it is not there."""
        try:
            found = os.stat(self._parts.conf.fencing.config_file)
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _unforeseen(error: Exception) -> str:
    return f"{type(error).__name__}: {one_line(error)}"


def _differing(old: cfg.ConfigOpts, new: cfg.ConfigOpts) -> Iterator[str]:
    """The options whose value in force is another one than the file says now."""
    broker.register_opts(old)
    broker.register_opts(new)
    for name in old:
        if name not in new:
            continue
        if not isinstance(old[name], cfg.ConfigOpts.GroupAttr):
            if old[name] != new[name]:
                yield f"[DEFAULT] {name}"
            continue
        for option in old[name]:
            if option in new[name] and old[name][option] != new[name][option]:
                yield f"[{name}] {option}"
