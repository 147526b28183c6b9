# SPDX-License-Identifier: Apache-2.0
"""A RabbitMQ server of its own, from the system's package, for notifications.

Nothing of the machine's is used or touched: not its rabbitmq-server service, its
epmd, its files in /etc and /var, nor the user's Erlang cookie. Needs no pytest.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import amqp

from tests.lib import packages, ports
from tests.lib.errors import ProgramError
from tests.lib.processes import Process
from tests.lib.waiting import PATIENCE

# Not /usr/sbin/rabbitmq-server: that runs as the user of the service.
SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
_CONTROL = "/usr/lib/rabbitmq/bin/rabbitmqctl"
_USER = _PASSWORD = "guest"  # may log in from this machine alone, by default

_CONF = """\
listeners.tcp.1 = 127.0.0.1:{port}
disk_free_limit.absolute = 50MB
"""
# Two schedulers, however many cores; Erlang's distribution on loopback, too.
_ERLANG = "+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}"


class Broker:
    """A server that can go away, and come back at the same address.

    :ivar url: as oslo.messaging wants it.
    :ivar port: where it listens; :ivar epmd_port: its name server.
    """

    def __init__(self, folder: Path) -> None:
        """:param folder: for all of its files; is made."""
        self._folder = folder
        self.port, self.epmd_port = ports.free_port(), ports.free_port()
        self._distribution = ports.free_port()
        self._server: Process | None = None
        self.url = f"rabbit://{_USER}:{_PASSWORD}@127.0.0.1:{self.port}/"
        folder.mkdir()
        (folder / "rabbitmq.conf").write_text(_CONF.format(port=self.port))
        (folder / "enabled_plugins").write_text("[].\n")

    @contextlib.contextmanager
    def names(self) -> Iterator[None]:
        """Run epmd in the foreground: started by the server, it would outlive it."""
        process = self._run(self.epmd, "epmd.log")
        try:
            process.wait_until("epmd", lambda: ports.listens(self.epmd_port))
            yield
        finally:
            process.stop()

    def start(self) -> None:
        """Return when clients can log in; takes a few seconds, if it is not up."""
        if self._server:
            return
        self._server = self._run([SERVER], "rabbitmq.log")
        self._server.wait_until("RabbitMQ", lambda: ports.listens(self.port), PATIENCE)

    def stop(self) -> None:
        """Clients lose their connections, and what waited in its queues is gone."""
        if self._server:
            self._server.stop()
            self._server = None

    def consumers(self, queue: str) -> int:
        """How many listen to a queue."""
        login = {"userid": _USER, "password": _PASSWORD}
        with amqp.Connection(f"127.0.0.1:{self.port}", **login) as connection:
            try:
                found = connection.channel().queue_declare(queue, passive=True)
            except amqp.NotFound:
                return 0
            return int(found.consumer_count)

    def control(self, *arguments: str) -> str:
        """What ``rabbitmqctl`` says; it takes a second or two.

        :raises ProgramError: it refuses.
        """
        # Not /usr/sbin/rabbitmqctl: that runs as the user of the service, too.
        packages.find(_CONTROL, "rabbitmq-server")
        done = subprocess.run(
            [_CONTROL, "--quiet", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            env=self.environment,
        )
        if done.returncode:
            raise ProgramError(
                f"{arguments} ended with {done.returncode}: {done.stdout}"
            )
        return done.stdout

    def _run(self, command: Sequence[str], log: str) -> Process:
        """Start a program that ends even where this one is killed."""
        packages.find(command[0], "rabbitmq-server")
        bound = ["setpriv", "--pdeathsig", "KILL", *command]
        return Process(bound, self._folder / log, self.environment)

    @property
    def epmd(self) -> list[str]:
        """The command of the name server that it needs."""
        return ["epmd", "-address", "127.0.0.1", "-port", str(self.epmd_port)]

    @property
    def environment(self) -> Mapping[str, str]:
        """All of it: what the user or the service has set does not count."""
        folder = self._folder
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),  # where the Erlang cookie is
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_CRASH_DUMP_BYTES": "0",  # the log tells
            "RUNNING_UNDER_SYSTEMD": "true",  # no shell between us and the server
            "RABBITMQ_NODENAME": "nova-ha-tests@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none.config"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQSERVER_ADDITIONAL_ERL_ARGS": _ERLANG,
        }


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Broker]:
    """Run a broker; clients can log in when the block begins.

    :raises ProgramError: it is not installed, or does not start.
    """
    broker = Broker(folder)
    with broker.names():
        try:
            broker.start()
            yield broker
        finally:
            broker.stop()
