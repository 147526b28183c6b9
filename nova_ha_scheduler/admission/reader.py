# SPDX-License-Identifier: Apache-2.0
"""The published file in nova-scheduler: read when it has changed, not for each
request; several threads ask.
"""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from oslo_log import log as logging

from nova_ha_scheduler import codec
from nova_ha_scheduler.admission import published
from nova_ha_scheduler.rules.admission import ZoneReserve

LOG = logging.getLogger(__name__)


class Unknown(Exception):
    """What is published cannot be relied on: str() says why."""


class Reader:
    """
    :param max_age: in seconds.
    :param now: the time, in seconds since the epoch.
    """

    def __init__(self, path: str, max_age: float, now: Callable[[], float]) -> None:
        self._path = Path(path)
        self._max_age = max_age
        self._now = now
        self._lock = threading.Lock()
        self._seen: object = None
        self._taken_at = 0.0
        self._zones: Mapping[str, ZoneReserve] = {}
        self._problem = ""
        self._told = ""

    def zones(self) -> Mapping[str, ZoneReserve]:
        """What is published, by the zone's name.

        :raises Unknown: the file is missing, cannot be read, or is too old. A warning
            says so when it begins, and a line of the log when it has ended.
        """
        with self._lock:
            problem = self._look()
            self._tell(problem)
            if problem:
                raise Unknown(f"{self._path} {problem}")
            return self._zones

    def problem(self) -> str:
        """What :meth:`zones` would raise, or ""; nothing is logged."""
        with self._lock:
            found = self._look()
        return f"{self._path} {found}" if found else ""

    def _look(self) -> str:
        self._read()
        return self._problem or self._aged()

    def _read(self) -> None:
        """Read the file again if it is another one."""
        try:
            found = os.stat(self._path)
            seen = found.st_mtime_ns, found.st_size, found.st_ino
            if seen == self._seen:
                return
            content = published.load(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            self._seen, self._problem = None, f"cannot be read: {error.strerror}"
        except (codec.Unreadable, UnicodeDecodeError) as error:
            self._seen, self._problem = seen, f"is not what it should be: {error}"
        else:
            self._seen, self._problem = seen, ""
            self._taken_at = content.taken_at
            self._zones = {zone.name: zone for zone in content.zones}

    def _aged(self) -> str:
        """Why it is too old, or of a time that is still to come; the two clocks may
        differ by as much as it may be old."""
        age = self._now() - self._taken_at
        if abs(age) <= self._max_age:
            return ""
        return "is too old" if age > 0 else "is of a time that is still to come"

    def _tell(self, problem: str) -> None:
        if problem == self._told:
            return
        self._told = problem
        if problem:
            LOG.warning(
                "Admission: %(path)s %(problem)s. Until that is mended, "
                "[ha_scheduler] admission_when_stale decides. See that the trigger "
                "publishes the file, or that 'nova-ha capacity --publish' runs, and "
                "that the file gets to this host.",
                {"path": self._path, "problem": problem},
            )
        else:
            LOG.info("Admission: %s can be relied on again.", self._path)
