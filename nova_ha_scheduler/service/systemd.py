# SPDX-License-Identifier: Apache-2.0
"""What the service tells systemd, by sd_notify(3); without systemd, nothing.

oslo.service (4.2) says READY=1 alone, for which it has no function that reads what
else is needed here: the watchdog, a reload, the end, and a line for people.
"""

import os
import socket
import time
from collections.abc import MutableMapping

from oslo_log import log as logging

LOG = logging.getLogger(__name__)

_SEND_SECONDS = 1.0
"""After which a word is dropped that nobody takes: the loop is not held up by it."""

_USEC = 1_000_000


class Notifier:
    """Of one process, to the service manager that has started it."""

    def __init__(self, environ: MutableMapping[str, str] | None = None) -> None:
        """:param environ: what systemd says is taken from it: it is for this process,
        and not for those that this one starts; None: of this process."""
        environ = os.environ if environ is None else environ
        address = environ.pop("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        pid = environ.pop("WATCHDOG_PID", "")
        interval = environ.pop("WATCHDOG_USEC", "")
        ours = pid in ("", str(os.getpid())) and interval.isdigit()
        self._interval = int(interval) / _USEC if ours else 0.0
        self._fed_at = float("-inf")
        self._status = ""
        self._is_ready = False

    def starting(self, seconds: float) -> None:
        """The start may take so long from now on: a cloud that is slow to answer after
        a power cut is no reason to be killed."""
        if not self._is_ready:
            self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * _USEC)}")

    def ready(self) -> None:
        """It works, or stands by; said once."""
        if not self._is_ready:
            self._is_ready = True
            self._send("READY=1")

    def alive(self) -> None:
        """Feed the watchdog, if there is one: to be called from the loop alone whose
        standstill it is to notice."""
        now = time.monotonic()
        if self._interval and now - self._fed_at >= self._interval / 4:
            self._fed_at = now
            self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """A reload has begun; reloaded() has to follow."""
        at = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={at}")

    def reloaded(self) -> None:
        self._is_ready = True
        self._send("READY=1")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def status(self, words: str) -> None:
        """A line for ``systemctl status``, said when it is another one."""
        words = " ".join(words.split())
        if words != self._status:
            self._status = words
            self._send(f"STATUS={words}")

    def _send(self, words: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
                to.settimeout(_SEND_SECONDS)
                to.sendto(words.encode(), self._address)
        except OSError as error:
            LOG.debug("systemd does not hear %s: %s", words, error)
