# SPDX-License-Identifier: Apache-2.0
"""Servers that Nova's lists leave out.

Nova's lists leave out a cell that does not answer, and say nothing (nova.compute.api of
Nova 34). Placement's allocations of a compute node name every server on it, whatever
cell is silent. So whoever is missing in a host's list is asked for by id. So is whoever
has landed, or waits for a resize to be confirmed, and is in no list:

==================================  ===============================================
Nova says                           then
==================================  ===============================================
404                                 it is no server: it was deleted, or Placement
                                    names a migration
that it is elsewhere, or nowhere    it has left
that it is there                    it is shown there
that its cell does not answer       there is no picture
something that cannot be read       it is there, and cannot be read
==================================  ===============================================

Who has left a dead host keeps an allocation there until that host's nova-compute starts
again. Those are not asked for whose evacuation record says that they have landed, and
of the others what was answered is remembered for a while.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from oslo_utils import uuidutils

from nova_ha_scheduler.clock import Clock
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import parse
from nova_ha_scheduler.cluster.openstack.fields import BadAnswer
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.picture import Migration

_REMEMBERED = 600.0
"""Seconds for which a server that has left is not asked for again."""

_LEFT = "done"
"""The status of an evacuation whose source has not started since."""


class Unlisted:
    """Remembers whom it has asked for in vain."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._in_vain: dict[tuple[str, str], float] = {}

    def asked(
        self,
        where: str,
        wanted: Iterable[str],
        lists: Lists,
        is_there: Callable[[Any], bool],
    ) -> list[Callable[[], Any]]:
        """The questions for those who are in no list: each gives what Nova shows of one
        who is there after all, else None.

        :param where: the list that they are missing in.
        :param wanted: their ids.
        :param is_there: whether what Nova shows of one belongs to that list.
        :raises CloudUnreachable: by a question, as of :func:`shown`.
        """
        now, known = self._clock.now(), self._in_vain.items()
        self._in_vain = {k: at for k, at in known if abs(now - at) < _REMEMBERED}

        def question(uuid: str) -> Any:
            found = shown(uuid, lists)
            if found is not None and is_there(found):
                return found
            self._in_vain[where, uuid] = now
            return None

        return [
            partial(question, uuid)
            for uuid in sorted(wanted)
            if uuidutils.is_uuid_like(uuid) and (where, uuid) not in self._in_vain
        ]


def who_left(records: Iterable[Migration]) -> set[str]:
    """Who is known to be elsewhere, by a host's evacuation records."""
    by_age = sorted(records, key=lambda record: record.id)
    newest = {record.server: record.status for record in by_age}
    return {server for server, status in newest.items() if status == _LEFT}


def shown(uuid: str, lists: Lists) -> Any:
    """What Nova shows of a server, wherever it is; None: there is no such server. An
    answer that cannot be read is a server with an id, and no more.

    :raises CloudUnreachable: its cell does not answer, or Nova does not.
    """
    try:
        for found in parse.servers_shown([lists.server(uuid)]):
            return {**(found if isinstance(found, dict) else {}), "id": uuid}
    except CloudUnreachable as error:
        if error.status is None:
            raise
        if error.status != 404:
            return {"id": uuid}
    return None  # it was deleted


def may_be_on(found: Any, host: str) -> bool:
    """Whether it is there, or that cannot be read."""
    try:
        return parse.HOST not in found or parse.place(found) == host
    except BadAnswer:
        return True
