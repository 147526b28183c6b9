# SPDX-License-Identifier: Apache-2.0
"""A picture of the whole cloud as a file, and back.

JSON: ``schema``, ``version``, ``taken_at`` (seconds since the epoch, UTC), and lists of
``hosts``, ``servers`` and ``migrations`` with the fields of :mod:`.picture`; one that
is at its default is left out.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nova_ha_scheduler import codec, files
from nova_ha_scheduler.cluster.picture import Host, Migration, Picture, Scope, Server

FORMAT = codec.Format("nova-ha-snapshot", 1)


class BadFile(Exception):
    """A file of a cloud that cannot be read: str() says where, and what is wrong."""


@dataclass(frozen=True)
class _Snapshot:
    taken_at: float
    hosts: tuple[Host, ...]
    servers: tuple[Server, ...]
    migrations: tuple[Migration, ...]


def dump(picture: Picture) -> str:
    """The picture as text, a line for each record: the same picture, the same text."""
    hosts = (picture.hosts[name] for name in sorted(picture.hosts))
    servers = (picture.servers[uuid] for uuid in sorted(picture.servers))
    migrations = sorted(picture.migrations, key=lambda m: (m.id, m.server))
    head = {**vars(FORMAT), "taken_at": picture.taken_at}
    words = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    for key, found in (
        ("hosts", hosts),
        ("servers", servers),
        ("migrations", migrations),
    ):
        words.append(f'"{key}": [{_lines(found)}]')
    return "{" + ",\n".join(words) + "}\n"


def _lines(records: Iterable[Any]) -> str:
    lines = (json.dumps(codec.plain(record), sort_keys=True) for record in records)
    return "".join(f"\n{line}," for line in lines).rstrip(",")


def load(text: str) -> Picture:
    """:raises BadFile: it says what is wrong, and where."""
    try:
        snapshot = FORMAT.load(_Snapshot, text)
    except codec.Unreadable as error:
        raise BadFile(str(error)) from error
    return picture(
        snapshot.taken_at, snapshot.hosts, snapshot.servers, snapshot.migrations
    )


def picture(
    taken_at: float,
    hosts: Iterable[Host],
    servers: Iterable[Server],
    migrations: Iterable[Migration] = (),
) -> Picture:
    """A picture of a whole cloud.

    :raises BadFile: two hosts have the same name, or two servers the same uuid.
    """
    hosts, servers = tuple(hosts), tuple(servers)
    for name in _repeated(host.name for host in hosts):
        raise BadFile(f"there are two hosts {name}")
    for uuid in _repeated(server.uuid for server in servers):
        raise BadFile(f"there are two servers {uuid}")
    return Picture(
        taken_at,
        Scope(hosts=frozenset(host.name for host in hosts), destinations=True),
        {host.name: host for host in hosts},
        {server.uuid: server for server in servers},
        tuple(migrations),
    )


def _repeated(names: Iterable[str]) -> Iterator[str]:
    return (name for name, number in Counter(names).items() if number > 1)


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file: it is all there, or as it was before.

    :param mode: who may read it; nobody else, if nothing is said.
    :raises BadFile: it cannot be written.
    """
    try:
        files.replace(path, text, mode)
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}") from error
