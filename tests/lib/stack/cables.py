# SPDX-License-Identifier: Apache-2.0
"""An address for each host, at which ping and tcp witnesses find it, and a cable that
can be pulled out.

A host is a network namespace there with nothing in it: its kernel answers, as that of a
host does. What its nova-compute says goes another way. Only for root.

Nothing is left of it: a process that ends with this one holds each namespace, and
takes its cable along.
"""

import os
import subprocess
from collections.abc import Iterable
from typing import Self

_HOLDS = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"]


class Cables:
    """Use it as a context manager, in the main thread.

    :ivar address: of a host, as [witnesses] takes it: names of hosts are hexadecimal.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = list(hosts)
        mark = os.getpid() & 0xFFFF
        self._net, self._name = f"fd77:{mark:x}:{{host}}::", f"nh{mark:x}-{{host}}"
        self.address = f"{self._net}2"
        self._holders: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            for host in self._hosts:
                self._lay(host)
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()

    def _lay(self, host: str) -> None:
        holder = subprocess.Popen(_HOLDS)
        self._holders.append(holder)
        ours = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{holder.pid}/ns/net") == ours:
            assert holder.poll() is None
        name, net = self._name.format(host=host), self._net.format(host=host)
        there = ["nsenter", f"--net=/proc/{holder.pid}/ns/net", "ip"]
        peer = ["peer", "eth0", "netns", str(holder.pid)]
        _run("ip", "link", "add", name, "type", "veth", *peer)
        _run("ip", "address", "add", f"{net}1/64", "dev", name, "nodad")
        _run(*there, "address", "add", f"{net}2/64", "dev", "eth0", "nodad")
        _run(*there, "link", "set", "eth0", "up")
        self.plug(host)

    def plug(self, host: str) -> None:
        """It is reached again, or for the first time."""
        name = self._name.format(host=host)
        _run("ip", "link", "set", name, "up")
        # The kernel takes the address away with the cable.
        ours = f"{self._net.format(host=host)}1/64"
        _run("ip", "address", "replace", ours, "dev", name, "nodad")

    def pull(self, host: str) -> None:
        """Nothing reaches it any more, and it says nothing."""
        _run("ip", "link", "set", self._name.format(host=host), "down")

    def remove(self) -> None:
        for holder in self._holders:
            holder.kill()
            holder.wait()


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
