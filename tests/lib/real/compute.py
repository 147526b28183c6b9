# SPDX-License-Identifier: Apache-2.0
"""The compute hosts: its argument is the machine room (tests/lib/stack/compute.py).

Who switches a host on asks for it on a socket. The host's first process is forked from
this one, which has imported Nova, and so are its nova-computes.
"""

import functools
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from tests.lib.real import namespaces
from tests.lib.real.place import Place
from tests.lib.real.volumes import BIN
from tests.lib.stack.compute import Order, become, keep_up, listen, load, nova_compute
from tests.lib.stack.machines import STARTER, Machine


def main() -> int:
    room = Path(sys.argv[1])
    load()

    from tests.lib.real import driver

    def run(host: str) -> None:
        namespaces.start_libvirtd(Place.of(room, host))
        driver.register(room, host)
        nova_compute(Machine(room, host))

    def begin(order: Order) -> None:
        if order.warm:
            _ask(Machine(room, order.host).folder / STARTER, order)
        else:
            _Host(room, order, functools.partial(run, order.host)).power_on()

    listen(room, begin)


def _ask(door: Path, order: Order) -> None:
    """Have the first process of a host start its nova-compute again."""
    with socket.socket(socket.AF_UNIX) as host:
        host.connect(str(door))
        host.sendall(b'{"host": "%s", "warm": true}\n' % order.host.encode())
        order.guest.sendall(host.makefile("rb").readline())


class _Host:
    """One that gets power."""

    def __init__(
        self, room: Path, order: Order, run: "functools.partial[None]"
    ) -> None:
        self._machine = Machine(room, order.host)
        self._place = Place.of(room, order.host)
        self._order, self._run = order, run

    def power_on(self) -> None:
        """Return where the first process has been made."""
        self._outside = namespaces.Outside()
        net = Path("/proc", self._place.switch.read_text(), "ns", "net")
        switch = os.open(net, os.O_RDONLY)
        namespaces.unshare()
        if os.fork() == 0:
            self._be_first(switch)

    def _be_first(self, switch: int) -> NoReturn:
        os.setsid()
        self._first = self._outside.pid
        with self._machine.log.open("ab") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        namespaces.furnish(self._place, switch)
        os.close(switch)
        programs = str(Path(sys.executable).parent)  # os-brick's privsep-helper
        path = os.pathsep.join([str(BIN), programs, os.environ["PATH"]])
        exports = self._place.folder / "exports"
        os.environ |= {
            "PATH": path,
            "STACK_EXPORTS": str(exports),
            "STACK_MOUNTABLE": str(self._place.mountable),
        }
        namespaces.start_libvirtd(self._place)
        if os.fork() == 0:
            self._compute(self._order)
        self._order.guest.close()
        listen(self._machine.folder, self._compute)

    def _compute(self, order: Order) -> None:
        """Be nova-compute."""
        become(self._machine, order.warm)
        order.guest.sendall(b"%d %d\n" % (self._first, self._outside.pid))
        order.guest.close()
        keep_up(self._run)


if __name__ == "__main__":
    sys.exit(main())
