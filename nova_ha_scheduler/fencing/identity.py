# SPDX-License-Identifier: Apache-2.0
"""Which devices are one and the same, and which machine a device switches.

Two hosts with one device are the worst mistake in a fencing file: the power of the one
is cut, seen off, and the other's servers are evacuated while it runs. So devices are
compared by what they are, not by how they are spelt; and what a device says of its
machine is compared with what the others have said.
"""

import ipaddress
import itertools
import re
import socket
import threading
import urllib.parse
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

_USUAL_PORTS = frozenset({"22", "23", "80", "161", "443", "623"})
"""Of one BMC or PDU, whatever it speaks: ssh, telnet, HTTP, SNMP, HTTPS, IPMI."""

SHARED = (
    "its device is also that of {hosts} (by {what}), so that nobody knows whose power "
    "it cuts: neither host is switched off by it, or taken for off, until the fencing "
    "file is right"
)
ANOTHER = (
    "its device says that it switches {name}: put the address right, or, if the BMC "
    "only knows the host by another name, add hostname: {name} to its entry in the "
    "fencing file"
)

_NO_SERIAL = frozenset(
    {
        *("", "0", "0123456789", "123456789", "1234567890", "."),
        *("none", "null", "unknown", "na", "n/a", "default string", "not specified"),
        *("not available", "not applicable", "system serial number"),
        *("to be filled by o.e.m.", "to be filled by oem"),
    }
)
"""What boards say whose maker has written no number into them."""

_NO_UUID = frozenset(
    {
        "03000200-0400-0500-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "00020003-0004-0005-0006-000700080009",
    }
)
"""The same."""

_NO_NAME = frozenset({"", "localhost", "(none)", "none", "null", "unknown", "ubuntu"})
"""Names that every machine has before it has one."""


@dataclass(frozen=True)
class DevicePlace:
    """Where a device is, and which part of it switches the host.

    :ivar where: the same for one and the same device, however it is spelt.
    :ivar part: a plug, a system; None: not said, which may be any.
    """

    where: Hashable
    part: str | None = None

    @classmethod
    def at(
        cls, address: str, port: str = "", path: str = "", part: str | None = None
    ) -> "DevicePlace":
        """The device at an address; the ports that such things usually have count as
        one, as a BMC has several."""
        number = "" if port in _USUAL_PORTS else port
        return cls((_host(address), number, _path(path)), part)

    def meets(self, other: "DevicePlace") -> bool:
        """Whether it may be the same one."""
        here = self.where == other.where
        return here and (None in (self.part, other.part) or self.part == other.part)

    def resolved(self) -> frozenset["DevicePlace"]:
        """The same by IP address: a name may be another name's. Asks the resolver."""
        if not isinstance(self.where, tuple) or len(self.where) != 3:
            return frozenset({self})
        host, port, path = self.where
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return frozenset({self})
        addresses = {_host(str(address[0])) for *_, address in found}
        return frozenset(DevicePlace((a, port, path), self.part) for a in addresses)


def _host(text: str) -> str:
    """A host's address in the one form that it is compared in."""
    bare = text.strip().strip("[]").rstrip(".").casefold()
    try:
        if re.fullmatch(r"[0-9a-fx.]+", bare):  # 10.1 and 0x0a000001 are 10.0.0.1
            bare = socket.inet_ntoa(socket.inet_aton(bare))
        address = ipaddress.ip_address(bare)
    except (OSError, ValueError):
        return bare
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _path(text: str) -> str:
    """What stands before the part that every Redfish service has."""
    path = re.sub("/+", "/", urllib.parse.unquote(text)).strip("/").casefold()
    return re.sub("(^|/)redfish(/v1)?$", "", path)


def part(text: str | None) -> str | None:
    """A system by the last word of its path, a plug by its name."""
    if text is None:
        return None
    return urllib.parse.unquote(text).rstrip("/").rpartition("/")[2].casefold() or None


def parts(said: Iterable[str | None]) -> str | None:
    """The same, of all that says which part is meant."""
    found = [known for text in said if (known := part(text))]
    return " ".join(found) or None


def of_url(text: str, system: str | None) -> DevicePlace:
    """The device at a URL.

    :raises ValueError: it is none. Its text is not shown, as there may be a password
        in it.
    """
    try:
        url = urllib.parse.urlsplit(text)
        host, port = url.hostname, str(url.port or "")
    except ValueError:
        url, host, port = urllib.parse.urlsplit(""), None, ""
    if "@" in url.netloc:
        raise ValueError("username and password have keys of their own")
    if url.scheme not in ("http", "https") or not host:
        raise ValueError("a URL such as https://192.0.2.7 is needed")
    return DevicePlace.at(host, port, url.path, part(system))


def shared(devices: Mapping[str, Iterable[object]]) -> dict[str, list[str]]:
    """The hosts that have a device in common with others, and those others.

    :param devices: of each host; None is none. What is no DevicePlace is compared as
        it is: another package's driver may have its own.
    """
    places: dict[Hashable, list[tuple[str, DevicePlace]]] = defaultdict(list)
    for host, some in devices.items():
        for known in _places(some):
            places[known.where].append((host, known))
    found: dict[str, set[str]] = defaultdict(set)
    for here in places.values():
        for host, device in here:
            alike = {h for h, other in here if h != host and device.meets(other)}
            found[host] |= alike
    return {host: sorted(others) for host, others in found.items() if others}


def twice(devices: Iterable[object]) -> bool:
    """Whether two of them may be one and the same."""
    pairs = itertools.combinations(_places(devices), 2)
    return any(a.where == b.where and a.meets(b) for a, b in pairs)


def _places(devices: Iterable[object]) -> list[DevicePlace]:
    return [
        device if isinstance(device, DevicePlace) else DevicePlace(device)
        for device in devices
        if device is not None
    ]


@dataclass(frozen=True)
class MachineIdentity:
    """What a device is and says of the machine that it switches.

    :ivar name: of the host, as its BMC knows it.
    :ivar devices: where it was found.
    """

    uuid: str = ""
    serial: str = ""
    name: str = ""
    devices: frozenset[DevicePlace] = field(default_factory=frozenset)

    @classmethod
    def said(cls, uuid: object, serial: object, name: object) -> "MachineIdentity":
        """From a device's own words, which may be anything; what every machine of a
        maker says is nothing."""
        number = _word(uuid).strip("{}")
        digits = set(number) - {"-"}
        if number in _NO_UUID or len(digits) < 2:
            number = ""
        mark, known_as = _word(serial), _word(name).rstrip(".")
        mark = "" if mark in _NO_SERIAL or set(mark) <= {"0", "-", "."} else mark
        first = known_as.partition(".")[0]
        return cls(number, mark, "" if first in _NO_NAME else known_as)

    def is_also(self, other: "MachineIdentity") -> str:
        """By what it is the same machine, or the same device; "": it is not."""
        if self.serial and other.serial and self.serial != other.serial:
            return ""  # some makers give one UUID to all
        if self.uuid and other.uuid:
            return f"UUID {self.uuid}" if self.uuid == other.uuid else ""
        if self.serial and other.serial:
            return f"serial number {self.serial}"
        meets = any(a.meets(b) for a in self.devices for b in other.devices)
        return "the device's address" if meets else ""

    def is_not(self, host: str) -> bool:
        """Whether it says that it is another host; only the first words of names are
        compared, as not everybody writes the domain."""
        ours = host.casefold()
        first = self.name.partition(".")[0]
        return bool(self.name) and ours != self.name and ours.partition(".")[0] != first


def _word(said: object) -> str:
    return said.strip().casefold() if isinstance(said, str) else ""


Whose = tuple[str, int]
"""A device: its host, and which one of its devices it is."""


class Ledger:
    """What the devices of all hosts have said of their machines. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Whose, MachineIdentity] = {}
        self.names: Mapping[str, str] = {}
        """What Nova's hypervisors are called, by host; a BMC may know that name."""

    def keep(self, older: "Ledger", hosts: Iterable[str]) -> None:
        """What the devices of these hosts have said to another ledger."""
        kept = set(hosts)
        with older._lock:
            known = {whose: m for whose, m in older._known.items() if whose[0] in kept}
        with self._lock:
            self._known |= known

    def objection(self, whose: Whose, machine: MachineIdentity, known_as: str) -> str:
        """Why a device is not to be believed for a host, as far as is known by now;
        "": nothing speaks against it. What it says is kept.

        :param known_as: how it calls the host, if it calls it anything.
        """
        with self._lock:
            self._known[whose] = machine
        return self.objection_now(whose, known_as)

    def objection_now(self, whose: Whose, known_as: str) -> str:
        """The same by what all have said by now, which others may have said later."""
        host, _ = whose
        with self._lock:
            machine = self._known.get(whose, MachineIdentity())
            known = sorted(self._known.items(), key=lambda item: item[0])
        others = [(other, found) for (other, _), found in known if other != host]
        alike = {
            other: what for other, found in others if (what := found.is_also(machine))
        }
        if alike:
            what = next(iter(alike.values()))
            return SHARED.format(hosts=", ".join(alike), what=what)
        if machine.is_not(known_as) and machine.is_not(self.names.get(host, known_as)):
            return ANOTHER.format(name=machine.name)
        return ""
