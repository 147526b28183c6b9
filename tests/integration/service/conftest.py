# SPDX-License-Identifier: Apache-2.0
"""nova-ha-evacuator as a service manager runs it, beside a cloud that does not work."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lib.waiting import PATIENCE

Say = dict[str, str]
"""One message to the service manager: its assignments."""


class Manager:
    """The service manager's end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))
        self.heard: list[Say] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while words := self._socket.recv(4096).decode():
                pairs = (line.split("=", 1) for line in words.splitlines())
                self.heard.append(dict(pairs))

    def count(self, key: str, value: str | None = None) -> int:
        """How many messages say that."""
        return sum(key in s and value in (None, s[key]) for s in self.heard)

    def close(self) -> None:
        self._socket.close()


class Cloud:
    """Takes connections, and closes them at once; or holds them, and says nothing."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.silent = False
        self.held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                if self.silent:
                    self.held.append(connection)
                else:
                    connection.close()

    def close(self) -> None:
        self._server.close()
        for connection in self.held:
            connection.close()


class Service:
    """One nova-ha-evacuator, and what it was told."""

    def __init__(self, conf: Path, log: Path, address: str, usec: int) -> None:
        self.conf, self._log = conf, log
        program = Path(sys.executable).with_name("nova-ha-evacuator")
        env = {**os.environ, "PYTHONWARNINGS": "ignore"}
        if address:
            env |= {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(usec)}
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [program, "--config-file", conf], stdout=out, stderr=out, env=env
            )

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait(self, what: str, is_so: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not is_so():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < end, f"no {what}: {self.log}"
            time.sleep(0.05)

    def says(self, words: str, times: int = 1) -> None:
        self.wait(words, lambda: self.log.count(words) >= times)

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)


CONF = """
[cloud]
auth_type = password
auth_url = http://127.0.0.1:{port}/v3
username = nova-ha
password = secret
project_name = service
user_domain_id = default
project_domain_id = default
[database]
connection = sqlite:///{folder}/journal.sqlite
[fencing]
config_file = {folder}/fencing.yaml
[health]
directory = {folder}
[detection]
poll_interval = 0.5
[journal]
lease_timeout = 2
[guard]
max_hosts = 3
"""


class Site:
    """A folder with the files of one installation."""

    def __init__(self, folder: Path, cloud: Cloud) -> None:
        self._folder, self.cloud = folder, cloud
        self.conf, self.fencing = folder / "nova-ha.conf", folder / "fencing.yaml"
        self.conf.write_text(CONF.format(port=cloud.port, folder=folder))
        self.fence("hosts: {c1: {method: manual}}")
        self._ends = contextlib.ExitStack()

    def fence(self, text: str) -> None:
        self.fencing.touch(0o600)
        self.fencing.write_text(text)

    def change(self, old: str, new: str) -> None:
        """Of nova-ha.conf."""
        text = self.conf.read_text()
        assert old in text
        self.conf.write_text(text.replace(old, new))

    def manager(self, address: str = "") -> tuple[Manager, str]:
        address = address or str(self._folder / "notify")
        found = Manager(address)
        self._ends.callback(found.close)
        return found, address

    def start(
        self, name: str = "service", address: str = "", usec: int = 1_000_000
    ) -> Service:
        started = Service(self.conf, self._folder / f"{name}.log", address, usec)
        self._ends.callback(started.process.wait)
        self._ends.callback(started.process.kill)
        return started

    def close(self) -> None:
        self._ends.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    cloud = Cloud()
    found = Site(tmp_path, cloud)
    try:
        yield found
    finally:
        found.close()
        cloud.close()
