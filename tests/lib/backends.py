# SPDX-License-Identifier: Apache-2.0
"""Real backends for tooz: Debian's etcd and Redis, private ones that come and go."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import requests

from tests.lib import peers, ports
from tests.lib.processes import Process


class Backend:
    """One on a free loopback port.

    :ivar url: as [coordination] backend_url wants it.
    """

    url = ""

    def start(self) -> None:
        """Return when it can be used."""

    def stop(self) -> None:
        """kill -9."""


class Files(Backend):
    """The kernel's locks on files; cannot be away."""

    def __init__(self, folder: Path) -> None:
        self.url = f"file://{folder}/locks"


class _Server(Backend):
    scheme = ""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.port = folder, ports.free_port()
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"
        self._process: Process | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        log = self.folder / "log"
        self._process = Process(self.command(), log, env={**os.environ})
        self._process.wait_until(self.scheme, self.ready)

    def ready(self) -> bool:
        """Whether it does its work; it may listen before that."""
        return ports.listens(self.port)

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process = None


class Etcd(_Server):
    """It keeps its data, and with them the locks, over a restart."""

    scheme = "etcd3+http"

    def command(self) -> list[str]:
        ours, peer = f"http://127.0.0.1:{self.port}", "http://127.0.0.1:0"
        return [
            peers.program("etcd", "etcd-server"),
            f"--data-dir={self.folder}/data",
            f"--listen-client-urls={ours}",
            f"--advertise-client-urls={ours}",
            f"--listen-peer-urls={peer}",
        ]

    def ready(self) -> bool:
        """One that is killed between its first file and its first leader, while it
        listens already, never has a leader any more."""
        try:
            answer = requests.get(f"http://127.0.0.1:{self.port}/health", timeout=1)
        except requests.RequestException:
            return False
        return bool(answer.json().get("health") == "true")


class Redis(_Server):
    """It forgets everything at a restart."""

    scheme = "redis"

    def command(self) -> list[str]:
        server = peers.program("redis-server", "redis-server")
        where = ["--bind", "127.0.0.1", "--port", str(self.port)]
        return [server, *where, "--dir", str(self.folder), "--save", ""]


KINDS = {"file": Files, "etcd": Etcd, "redis": Redis}


@contextlib.contextmanager
def running(kind: str, folder: Path) -> Iterator[Backend]:
    """One that runs; "" is none: the journal's lease alone."""
    backend = KINDS[kind](folder) if kind else Backend()
    backend.start()
    try:
        yield backend
    finally:
        backend.stop()
