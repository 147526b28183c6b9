# SPDX-License-Identifier: Apache-2.0
"""A cloud as a short text in YAML, for tests and for people::

    hosts:
      node1..node3: {zone: nfs-a, room: "64 vCPU, 512 GiB"}   # a range
      spare1: {zone: nfs-a, reserved: true}
    servers:
      web1..web4: {host: node1, needs: "4 vCPU, 16 GiB", priority: 900}
      db1: {host: node2, group: db}

All keys are optional, but for a server's host; HOST_KEYS and SERVER_KEYS list them.
Unless it says otherwise, a host is protected and has room for 8 vCPU, and a server is
protected and takes one. The room is that of the empty host.
"""

import re
import reprlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import yaml

from nova_ha_scheduler.cluster import providers as placement
from nova_ha_scheduler.cluster.amounts import amounts
from nova_ha_scheduler.cluster.picture import Host, Picture, Server
from nova_ha_scheduler.cluster.providers import Inventory, Provider, Resources
from nova_ha_scheduler.cluster.snapshot import BadFile, picture
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import HostFacts

METADATA_KEYS = {
    "ha": vocabulary.HA,
    "zone": vocabulary.STORAGE_ZONE,
    "reserved": vocabulary.RESERVED,
    "maintenance": vocabulary.MAINTENANCE,
}
"""A host's keys that are metadata of its aggregates."""

_AT_ONCE = 100_000
"""Names that web1..web9 may stand for."""

_POLICIES = {
    "recovery": vocabulary.RECOVERY,
    "priority": vocabulary.PRIORITY,
    "failback": vocabulary.FAILBACK,
}

_WORD = (str, int, float, bool)
"""What YAML makes of a word."""

HOST_KEYS: Mapping[str, Any] = {
    **dict.fromkeys(METADATA_KEYS, _WORD),
    "az": str,  # its availability zone
    "disabled": str,  # the service is, for this reason
    "down": bool,  # the service is
    "room": (str, int),  # amounts, or a number of vCPU
    "most": str,  # amounts: no server gets more of it
    "devices": list,  # amounts: each a resource provider below the host
    "traits": list,
}
SERVER_KEYS: Mapping[str, Any] = {
    "host": str,
    "ha": (*_WORD, type(None)),  # of its flavor, which does not say it if null
    **dict.fromkeys(_POLICIES, _WORD),  # of its flavor
    "metadata": dict,
    "needs": str,  # amounts
    "vcpus": int,  # in place of needs
    "vm_state": str,
    "task_state": str,
    "running": bool,
    "locked": bool,
    "local_disk": bool,
    "az": str,  # the availability zone that it is pinned to
    "group": str,  # its server group, which keeps its members apart,
    "apart": bool,  # or, if this is false, together
    "traits": list,
    "forbidden_traits": list,
    "refused": str,  # why Nova refuses to evacuate it; live and cold: to migrate it
    "refused_live": str,
    "refused_cold": str,
}


def load(text: str, others: Collection[str] = ()) -> Picture:
    """
    :param others: keys beside hosts and servers that the caller reads itself.
    :raises BadFile: it says what is wrong, and where.
    """
    cloud = _read(text)
    if unknown := sorted(cloud.keys() - {"hosts", "servers", *others}):
        raise BadFile(f"{unknown[0]} is not known: there are hosts and servers")
    hosts = {
        name: host(name, said)
        for name, said in each("hosts", cloud.get("hosts"), HOST_KEYS)
    }
    if not hosts:
        raise BadFile("it has no hosts")
    servers = [
        server(name, said)
        for name, said in each("servers", cloud.get("servers") or {}, SERVER_KEYS)
    ]
    for found in servers:
        if found.host not in hosts:
            raise BadFile(f"servers.{found.name}: there is no host {found.host}")
    return picture(0.0, _taken(hosts, servers), grouped(servers))


def _read(text: str) -> dict[str, Any]:
    try:
        cloud = yaml.safe_load(text)
    except RecursionError as error:
        raise BadFile("it is no YAML: it is nested too deeply") from error
    except yaml.YAMLError as error:
        said = " ".join(str(error).split("\n", 1)[0].split())
        mark = getattr(error, "problem_mark", None)
        where = f", at line {mark.line + 1}" if mark else ""
        raise BadFile(f"it is no YAML: {said}{where}") from error
    if not isinstance(cloud, dict):
        raise BadFile("it is no mapping with hosts and servers")
    return {str(key): value for key, value in cloud.items()}


def each(
    where: str, values: Any, keys: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names with what is said of them; 'web1..web3' stands for web1, web2 and web3.

    :param keys: what may be said, and of which types it may be.
    :raises BadFile: something else is.
    """
    if not isinstance(values, dict):
        raise BadFile(f"{where} is no mapping of names")
    seen: set[str] = set()
    for name, said in values.items():
        place, said = f"{where}.{name}", {} if said is None else said
        if not isinstance(said, dict):
            raise BadFile(f"{place} is no mapping of keys")
        for key, value in said.items():
            if key not in keys:
                raise BadFile(f"{place}.{key} is not known: {', '.join(sorted(keys))}")
            if not _fits(value, keys[key]):
                raise BadFile(
                    f"{place}.{key}: {reprlib.repr(value)} is no {_kind(keys[key])}"
                )
        for one in _names(str(name)):
            if one in seen:
                raise BadFile(f"{place}: {one} was there before")
            seen.add(one)
            yield one, said


def _fits(value: Any, kinds: Any) -> bool:
    several = kinds if isinstance(kinds, tuple) else (kinds,)
    return isinstance(value, several) and (type(value) is not bool or bool in several)


def _kind(kinds: Any) -> str:
    several = kinds if isinstance(kinds, tuple) else (kinds,)
    names = {str: "text", int: "number", list: "list", dict: "mapping"}
    return " or ".join(names.get(kind, "boolean") for kind in several)


def _short(name: str) -> str:
    return name if len(name) < 80 else f"{name[:38]}...{name[-38:]}"


def _names(name: str) -> Iterable[str]:
    found = re.fullmatch(r"(.*?)(\d+)\.\.\1(\d+)", name)
    if not found:
        return [name]
    first, last = found[2], found[3]
    if len(last) > len(str(_AT_ONCE)) or int(last) - int(first) >= _AT_ONCE:
        raise BadFile(f"{_short(name)}: it stands for more than {_AT_ONCE} names")
    if int(first) > int(last):
        raise BadFile(f"{name}: it begins after its end")
    width = len(first) if first.startswith("0") else 0
    return [f"{found[1]}{n:0{width}}" for n in range(int(first), int(last) + 1)]


def metadata(said: Mapping[str, Any]) -> dict[str, str]:
    """What the aggregates of a host say."""
    said = {"ha": True, **said}
    keys = METADATA_KEYS.items()
    return {long: _word(said[short]) for short, long in keys if short in said}


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def host(name: str, said: Mapping[str, Any]) -> Host:
    """An empty host. :raises BadFile: its room cannot be read."""
    room = said.get("room", 8)
    amount = {"VCPU": room} if isinstance(room, int) else _amounts(name, room)
    traits = frozenset(map(str, said.get("traits", ())))
    providers = tuple(_providers(name, amount, traits, said))
    for provider in providers[1:]:
        for what, one in provider.inventories.items():
            amount[what] = amount.get(what, 0) + one.capacity
    return Host(
        name,
        facts=HostFacts.of([metadata(said)]),
        up=not said.get("down", False),
        disabled="disabled" in said,
        disabled_reason=said.get("disabled", ""),
        availability_zone=said.get("az", "nova"),
        free=amount,
        capacity=amount,
        traits=traits,
        providers=providers,
    )


def _providers(
    name: str, room: Resources, traits: frozenset[str], said: Mapping[str, Any]
) -> Iterator[Provider]:
    """The host's, and those of its devices; none, if its room says all."""
    most = _amounts(name, said["most"]) if "most" in said else {}
    devices = [_amounts(name, str(one)) for one in said.get("devices", ())]
    if most or devices:
        found = {what: Inventory(n, 0, most.get(what)) for what, n in room.items()}
        yield Provider(found, traits)
    for one in devices:
        yield Provider({what: Inventory(n) for what, n in one.items()})


def _amounts(name: str, text: str) -> dict[str, int]:
    try:
        return amounts(text)
    except ValueError as error:
        raise BadFile(f"{name}: {error}") from error


def server(name: str, said: Mapping[str, Any]) -> Server:
    """:raises BadFile: what it needs cannot be read, or it says no host."""
    if "host" not in said:
        raise BadFile(f"servers.{name}: host is missing")
    specs = {vocabulary.HA: _word(said.get("ha", True))}
    if said.get("ha", True) is None:
        specs = {}
    keys = _POLICIES.items()
    specs |= {long: _word(said[short]) for short, long in keys if short in said}
    needs = {"VCPU": said.get("vcpus", 1)}
    vm_state = said.get("vm_state", "active")
    return Server(
        uuid=f"uuid-{name}",
        name=name,
        host=said["host"],
        vm_state=vm_state,
        task_state=said.get("task_state"),
        running=said.get("running", vm_state != "stopped"),
        locked=said.get("locked", False),
        extra_specs=specs,
        metadata={str(k): _word(v) for k, v in said.get("metadata", {}).items()},
        local_disk=said.get("local_disk", True),
        needs=_amounts(name, said["needs"]) if "needs" in said else needs,
        refused_by_nova=said.get("refused", ""),
        refused_live=said.get("refused_live", ""),
        refused_cold=said.get("refused_cold", ""),
        traits=frozenset(map(str, said.get("traits", ()))),
        forbidden_traits=frozenset(map(str, said.get("forbidden_traits", ()))),
        availability_zone=said.get("az"),
        group=said.get("group"),
        group_apart=said.get("apart", True),
    )


def _taken(hosts: Mapping[str, Host], servers: Iterable[Server]) -> Iterator[Host]:
    """The hosts without what their servers take."""
    taken: dict[str, dict[str, int]] = {name: {} for name in hosts}
    providers = {name: host.providers for name, host in hosts.items()}
    for one in servers:
        providers[one.host] = placement.taken(providers[one.host], one.needs)
        for what, amount in one.needs.items():
            taken[one.host][what] = taken[one.host].get(what, 0) + amount
    for name, empty in hosts.items():
        free = dict(empty.free or {})
        for what, amount in taken[name].items():
            if what not in free:
                raise BadFile(f"hosts.{name}: its servers take {what}, and it has none")
            free[what] -= amount
        yield replace(empty, free=free, providers=providers[name])


def grouped(servers: Iterable[Server]) -> Iterator[Server]:
    """The servers, which know where the others of their group are."""
    servers = list(servers)
    members: dict[str, list[Server]] = defaultdict(list)
    for one in servers:
        if one.group:
            members[one.group].append(one)
    for one in servers:
        others = (s.host for s in members.get(one.group or "", ()) if s is not one)
        yield replace(one, group_hosts=frozenset(others)) if one.group else one
