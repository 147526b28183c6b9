# SPDX-License-Identifier: Apache-2.0
"""A link between two programs, which can be bad: a proxy for TCP.

tc netem would do most of this below TCP; many kernels that tests run on do not have
it. What netem's loss does to a connection is done here: what was lost comes later.
"""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

_CHUNK = 65536


@dataclass(frozen=True)
class Fault:
    """
    :ivar delay: seconds, for each piece that is sent, each way.
    :ivar loss: the share of the pieces that come late, as TCP sends them again:
        :ivar again: seconds later.
    :ivar swallows: "up" or "down": what goes that way, to the server or back, never
        arrives, and nobody is told.
    :ivar drip: bytes that are sent at once; 0: all.
    :ivar twice: requests that change something arrive twice, as from a proxy that
        sends again what it holds for lost.
    """

    delay: float = 0.0
    loss: float = 0.0
    again: float = 1.0
    swallows: str = ""
    drip: int = 0
    twice: bool = False


GOOD = Fault()


class Link:
    """Listens on a port of its own, and leads to another one of this machine.

    :ivar fault: in force from now on, for connections that are open, too.
    :ivar sent: the heads of the requests that have arrived, with the time.
    """

    def __init__(self, target: int) -> None:
        self._target, self.fault = target, GOOD
        self.sent: list[tuple[float, bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._random = random.Random(1)
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            near.close()
            return
        for end in near, far:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(end)
        for way in ((near, far, "up"), (far, near, "down")):
            threading.Thread(target=self._pump, args=way, daemon=True).start()

    def _pump(self, source: socket.socket, to: socket.socket, way: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                self._pass(data, to, way)
        for end in source, to:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            self._open.discard(end)

    def _pass(self, data: bytes, to: socket.socket, way: str) -> None:
        fault = self.fault
        if fault.swallows == way:
            return
        for piece in _pieces(data, fault.drip):
            late = fault.again if self._random.random() < fault.loss else 0.0
            time.sleep(fault.delay + late)
            to.sendall(piece)
        head = data.partition(b"\r\n")[0]
        if way == "up" and head.endswith(b" HTTP/1.1"):
            self.sent.append((time.time(), head))
            if fault.twice and head.split(b" ")[0] in (b"PUT", b"POST"):
                self._again(data)

    def _again(self, data: bytes) -> None:
        """The same request once more; nobody hears the answer."""
        with contextlib.suppress(OSError):
            other = socket.create_connection(("127.0.0.1", self._target), 10)
            with other:
                other.sendall(data)
                other.recv(_CHUNK)

    def changes(self) -> list[tuple[float, str]]:
        """The requests that have arrived and are no look, in their order."""
        found = [(at, head.decode(errors="replace")) for at, head in self.sent]
        return [(at, head) for at, head in found if not head.startswith("GET ")]

    def close(self) -> None:
        self._listener.close()
        for end in list(self._open):
            end.close()


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    size = size or len(data)
    for start in range(0, len(data), size):
        yield data[start : start + size]
