# SPDX-License-Identifier: Apache-2.0
"""A peer on a socket of its own that says what it likes, as slowly as it likes."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Talk = Callable[[socket.socket, threading.Event], None]
"""Talks on one connection until the event is set."""

PAUSE = 0.05
"""Seconds between two bytes of what drips."""

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Peer:
    """Listens on a free port of this machine."""

    def __init__(self, talk: Talk) -> None:
        self._talk, self._over = talk, threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                found, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(found,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            self._talk(sock, self._over)

    def close(self) -> None:
        self._over.set()
        self._listener.close()


@contextlib.contextmanager
def peer(talk: Talk) -> Iterator[Peer]:
    found = Peer(talk)
    try:
        yield found
    finally:
        found.close()


def silent(sock: socket.socket, over: threading.Event) -> None:
    """Accepts, and says nothing."""
    over.wait()


def drips(first: bytes, rest: bytes) -> Talk:
    """Says the first part at once, and the rest byte by byte, for ever."""

    def talk(sock: socket.socket, over: threading.Event) -> None:
        sock.recv(65536)
        sock.sendall(first)
        while not over.is_set():
            for byte in rest:
                sock.sendall(bytes([byte]))
                if over.wait(PAUSE):
                    return

    return talk


def floods(first: bytes, rest: bytes) -> Talk:
    """The same, as fast as it can."""

    def talk(sock: socket.socket, over: threading.Event) -> None:
        sock.recv(65536)
        sock.sendall(first)
        while not over.is_set():
            sock.sendall(rest)

    return talk


def says(answer: bytes) -> Talk:
    """Says one thing and hangs up."""

    def talk(sock: socket.socket, over: threading.Event) -> None:
        sock.recv(65536)
        sock.sendall(answer)

    return talk
