# SPDX-License-Identifier: Apache-2.0
"""Orders to a playground, over a socket in its directory.

``python -m demo.control SOCKET PROGRAM ORDER WANTS [ARGUMENT]`` gives one; its exit
code is 0 if it was done.
"""

import contextlib
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

Order = Callable[..., str]
"""Takes the arguments; returns what was done, or raises Unable."""


class Unable(Exception):
    """An order that cannot be done; the sentence says why."""


@contextlib.contextmanager
def listening(path: Path, orders: Mapping[str, Order], last: str) -> Iterator[None]:
    """Take orders, each in a thread, while the block goes on.

    :param last: the order after which this process ends; who gives it waits for that.
    """

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            word, *arguments = self.rfile.readline().decode().split() or [""]
            try:
                answer = f"ok {orders[word](*arguments)}"
            except Unable as error:
                answer = f"no {error}"
            except Exception as error:
                answer = f"no {type(error).__name__}: {' '.join(str(error).split())}"
            self.wfile.write(f"{answer}\n".encode())
            if word == last:
                threading.Event().wait()  # its end closes the connection

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    with Server(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def give(path: str, program: str, order: str, wants: str, *words: str) -> int:
    """Give an order, print the answer; 0 if it was done.

    :param program: what was typed. :param wants: what the order is told; "-": nothing.
    """
    asked = bool({"-h", "--help"} & {*words})
    if asked or len(words) != (wants != "-"):
        usage = f"usage: {program} {wants}".removesuffix(" -")
        print(usage, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError:
            print(f"no demo is running at {path}", file=sys.stderr)
            return 1
        connection.sendall(f"{' '.join([order, *words])}\n".encode())
        answers = connection.makefile()
        state, _, sentence = answers.readline().strip().partition(" ")
        done = state == "ok"
        print(sentence, file=sys.stdout if done else sys.stderr, flush=True)
        answers.read()  # what the last order ends has ended
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(give(*sys.argv[1:]))
