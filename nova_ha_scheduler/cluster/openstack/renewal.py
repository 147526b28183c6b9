# SPDX-License-Identifier: Apache-2.0
"""A connection that does not keep for ever what it was told wrongly once.

At the login, and at the first request to each service, the libraries ask where that
service is and what it can do. They keep the answers, and their mistakes about them, as
long as the connection lives: one answer that was cut off or spoilt would make a service
unreachable until the trigger is started again.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

LOG = logging.getLogger(__name__)

FAILURES = 3
"""Requests to one service in a row, after which what is known of it is asked anew."""

SECONDS = 5.0
"""Between two connections, at least: a cloud that is down is not asked for tokens
at each look."""


class Renewed:
    """Safe to be used from several threads.

    :ivar connection: the one to use for the next request.
    """

    def __init__(self, connection: Any, again: Callable[[], Any] | None) -> None:
        """:param again: makes such a connection; None: there is this one alone."""
        self.connection = connection
        self._again = again
        self._failures: Counter[str] = Counter()
        self._made_at = float("-inf")
        self._lock = threading.Lock()

    def answered(self, service: str) -> None:
        """What is known of a service is right."""
        with self._lock:
            self._failures[service] = 0

    def failed(self, service: str) -> None:
        """It may be wrong: after some failures in a row, begin anew."""
        with self._lock:
            self._failures[service] += 1
            now = time.monotonic()
            lately = now < self._made_at + SECONDS
            if self._failures[service] < FAILURES or lately or self._again is None:
                return
            self._made_at = now
            self._failures.clear()
            old = self.connection
            try:
                self.connection = self._again()
                old.session.session.close()  # what is under way goes on
            except cfg.Error as error:  # clouds.yaml may be wrong by now
                LOG.warning("The old login stays in use: %s", error)
