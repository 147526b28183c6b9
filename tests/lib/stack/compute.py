# SPDX-License-Identifier: Apache-2.0
"""The nova-computes, with our hypervisor: its argument is the machine room.

Each is forked from this process, which has imported Nova: that takes a core some
seconds, nearly as long as a host may be silent. Who switches a host on asks for it on a
socket (machines.py).
"""

import functools
import importlib
import json
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tests.lib.stack.machines import STARTER, WARM, Machine

_BY_NAME = ("nova.compute.manager", "oslo_messaging._drivers.impl_rabbit")
"""What nova-compute asks for by its name."""


@dataclass(frozen=True)
class Order:
    """What somebody asks a starter for.

    :ivar warm: the host has power; its nova-compute alone was away.
    :ivar guest: who asks, and is told the pids of Machine.
    """

    host: str
    warm: bool
    guest: socket.socket


def main() -> int:
    room = Path(sys.argv[1])
    load()

    from tests.lib.stack import driver

    def run(host: str) -> None:
        driver.register(room, host)
        nova_compute(Machine(room, host))

    serve(room, run)
    return 0


def load() -> None:
    """Import nova-compute, and all that it asks for."""
    import os_vif
    from nova import objects
    from nova.cmd import compute as _  # noqa: F401
    from nova.servicegroup import api as servicegroup

    from tests.lib.stack.nova import FIRST_REPORT

    servicegroup.INITIAL_REPORTING_DELAY = FIRST_REPORT
    objects.register_all()
    os_vif.initialize()
    for name in _BY_NAME:
        importlib.import_module(name)


def nova_compute(machine: Machine) -> None:
    """Be a host's nova-compute, until it ends."""
    from nova.cmd import compute

    sys.argv = ["nova-compute", f"--config-file={machine.conf_file}"]
    compute.main()


def serve(room: Path, run: Callable[[str], None]) -> None:
    """Fork a process for each host that is asked for, without end.

    :param run: what it does then, by its host.
    """

    def begin(order: Order) -> None:
        become(Machine(room, order.host), order.warm)
        order.guest.sendall(b"%d\n" % os.getpid())
        order.guest.close()
        keep_up(functools.partial(run, order.host))

    listen(room, begin)


def listen(folder: Path, begin: Callable[[Order], None]) -> NoReturn:
    """Fork a process for each order that comes, without end.

    :param folder: where the door is; :param begin: what each process does.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead need nobody to wait for
    with socket.socket(socket.AF_UNIX) as door:
        new = folder / f"{STARTER}.new"
        new.unlink(missing_ok=True)
        door.bind(str(new))
        door.listen()
        new.rename(folder / STARTER)  # who sees it is let in
        while True:
            guest, _ = door.accept()
            with guest, guest.makefile() as lines:
                order = json.loads(lines.readline())
                if os.fork() == 0:
                    door.close()
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    begin(Order(order["host"], order["warm"], guest))
                    os._exit(0)


def become(machine: Machine, warm: bool) -> None:
    """Be the process of a host's nova-compute: a group of its own."""
    os.setsid()
    with machine.log.open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    if warm:
        os.environ[WARM] = "1"
    random.seed()


def keep_up(run: Callable[[], None]) -> NoReturn:
    """Start it again when it fails, as systemd does: keystone may be away just now."""
    while True:
        child = os.fork()
        if child == 0:
            run()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0:
            os._exit(0)
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
