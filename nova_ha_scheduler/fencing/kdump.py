# SPDX-License-Identifier: Apache-2.0
"""The method ``kdump``: wait until a crashed kernel has written its dump, before the
next level cuts its power.

A kernel that crashes boots another one, which writes the memory to a disk. Meanwhile
``fence_kdump_send`` of that one sends a message every few seconds, by UDP. It has no
signature, so it proves nothing: it only says how long to wait.

=========================  =======================================================
no message                 within ``first_message`` seconds: there is no dump
messages                   are waited for as long as they come, ``dump_timeout``
                           seconds in all at most
none for a while           the dump is written
=========================  =======================================================

Each of it ends in the same way: the next level switches the host off.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nova_ha_scheduler.evacuation.interfaces import Power, PowerReport
from nova_ha_scheduler.fencing import Driver, FenceError, FencingFileError, positive

PORT = 7410
"""fence_kdump_send's, where nothing else is said."""

_MESSAGE = struct.pack("<II", 0x1B302A40, 1)
"""What fence_kdump_send 4.12 sends on a little-endian machine: a magic number, and the
version."""

_MESSAGES = frozenset({_MESSAGE, struct.pack(">II", 0x1B302A40, 1)})

_SILENCE = 25.0
"""Seconds without a message after which there is no dump any more: fence_kdump_send
sends one every 10 seconds."""

_TURN = 0.25
"""Seconds for which one that waits reads for all that wait at the same port."""


class _Port:
    """A UDP port, as long as somebody waits there. Several hosts may dump at once, and
    only one socket gets their messages."""

    _open: dict[tuple[str, int], "_Port"] = {}
    _lock = threading.Lock()

    def __init__(self, place: tuple[str, int]) -> None:
        self.heard: dict[str, float] = {}
        self._turn, self._users = threading.Lock(), 0
        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.bind(place)
        except BaseException:
            self._socket.close()
            raise
        self._socket.settimeout(_TURN)

    @classmethod
    @contextlib.contextmanager
    def at(cls, place: tuple[str, int]) -> Iterator["_Port"]:
        """:raises OSError: it cannot be listened at."""
        with cls._lock:
            port = cls._open.get(place) or cls(place)
            cls._open[place] = port
            port._users += 1
        try:
            yield port
        finally:
            with cls._lock:
                port._users -= 1
                if not port._users:
                    del cls._open[place]
                    port._socket.close()

    def read(self) -> None:
        """Take what has come, from whomever, for a moment."""
        with self._turn:
            end = time.monotonic() + _TURN
            while time.monotonic() < end:
                try:
                    message, sender = self._socket.recvfrom(len(_MESSAGE) + 1)
                except TimeoutError:
                    return
                if message in _MESSAGES:
                    self.heard[_plain(sender[0])] = time.monotonic()


class Kdump(Driver):
    """Keys: ``address``, from which the messages come, by default the host's name;
    ``first_message``, ``dump_timeout`` (seconds); ``listen``, ``port``."""

    METHOD = "kdump"
    PROVES = False
    OPTIONAL = frozenset({"address", "first_message", "dump_timeout", "listen", "port"})

    def prepare(self) -> object:
        found = self.settings
        self.address: str = found.get("address", self.host)
        self.first = positive("first_message", found.get("first_message", "30"))
        self.longest = positive("dump_timeout", found.get("dump_timeout", "300"))
        port = found.get("port", str(PORT))
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise FencingFileError("port: a number from 1 to 65535 is needed")
        self.place = found.get("listen", "0.0.0.0"), int(port)
        # What is known of how long a power-off takes goes by these.
        self.limits = replace(self.limits, power_off=max(self.first, self.longest))
        return None

    def state(self, connection: Any) -> Power:
        raise FenceError("it tells no power state")

    def ask_off(self, connection: Any, seconds: float) -> None:
        raise AssertionError("it has no power state")

    def power_off(self) -> PowerReport:
        """Wait for a dump, and for its end. Never a proof."""
        self.answer = "waits for the message of a kernel that dumps"
        try:
            addresses = self._addresses()
            with _Port.at(self.place) as port:
                words = self._wait(port, addresses)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            words = f"no message of {self.address} can be waited for: {why}"
        return self.report(Power.UNKNOWN, words)

    def _addresses(self) -> frozenset[str]:
        found = socket.getaddrinfo(self.address, None, type=socket.SOCK_DGRAM)
        return frozenset(_plain(str(address[0])) for *_, address in found)

    def _wait(self, port: _Port, addresses: frozenset[str]) -> str:
        began = time.monotonic()
        while True:
            port.read()
            now = time.monotonic()
            times = (port.heard.get(address, 0.0) for address in addresses)
            last = max(times, default=0.0)
            if last < began:
                if now - began >= self.first:
                    return f"no dump was begun within {self.first:g} s"
                continue
            self.answer = "a dump is being written"
            if now - last >= _SILENCE:
                return f"a dump was written for {last - began:.0f} s"
            if now - began >= self.longest:
                return f"a dump was not written within {self.longest:g} s"


def _plain(address: str) -> str:
    """An IPv4 address as IPv4 writes it."""
    return address.removeprefix("::ffff:")
