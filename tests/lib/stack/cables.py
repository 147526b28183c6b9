# SPDX-License-Identifier: Apache-2.0
"""An address for each host, at which ping and tcp witnesses find it, and a cable that
can be pulled out.

A host is a network namespace there with nothing in it: its kernel answers, as that of a
host does. What its nova-compute says goes another way. Only for root.
"""

import os
import subprocess
from collections.abc import Iterable
from typing import Self


class Cables:
    """Use it as a context manager.

    :ivar address: of a host, as [witnesses] takes it: names of hosts are hexadecimal.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = list(hosts)
        mark = os.getpid() & 0xFFFF
        self._switch, self._net = f"nhs-{mark:x}", f"fd77:{mark:x}::"
        self._name = f"nh{mark:x}-{{host}}"
        self.address = f"{self._net}{{host}}"

    def __enter__(self) -> Self:
        try:
            self._plug_all()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()

    def _plug_all(self) -> None:
        _ip("link", "add", self._switch, "type", "bridge")
        _ip("link", "set", self._switch, "up")
        _ip("address", "add", f"{self._net}1/64", "dev", self._switch, "nodad")
        for host in self._hosts:
            name = self._name.format(host=host)
            _ip("netns", "add", name)
            _ip("link", "add", name, "type", "veth", "peer", "eth0", "netns", name)
            there = self.address.format(host=host)
            _ip("-n", name, "address", "add", f"{there}/64", "dev", "eth0", "nodad")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("link", "set", name, "master", self._switch)
            self.plug(host)

    def plug(self, host: str) -> None:
        """It is reached again, or for the first time."""
        _ip("link", "set", self._name.format(host=host), "up")

    def pull(self, host: str) -> None:
        """Nothing reaches it any more, and it says nothing."""
        _ip("link", "set", self._name.format(host=host), "down")

    def remove(self) -> None:
        for host in self._hosts:
            name = self._name.format(host=host)
            _ip("link", "delete", name, check=False)
            _ip("netns", "delete", name, check=False)
        _ip("link", "delete", self._switch, check=False)


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)
