# SPDX-License-Identifier: Apache-2.0
"""Servers that Nova's list of a dead host leaves out.

That Nova does so while a cell is silent, and what else it shows then, is shown by
integration/trigger/test_whole.py.
"""

from collections import Counter
from typing import Any

import pytest

from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack.observer import Observer
from nova_ha_scheduler.cluster.picture import Scope
from tests.lib.answers import DB1, DB2, Api, server

SCOPE = Scope(hosts=frozenset({"c1"}))
PATH = f"/servers/{DB2}"
EMPTY: dict[str, Any] = {"/servers/detail?c1": {"servers": []}}


class Counting(Api):
    """:ivar asked: how often each path was asked for."""

    def __init__(self, found: dict[str, Any], status: int | None = None) -> None:
        """:param status: of the answer for DB2; None: there is one."""
        super().__init__(found)
        self.asked: Counter[str] = Counter()
        self.status = status

    def get(self, service: str, path: str, *more: Any, **named: Any) -> Any:
        self.asked[path] += 1
        if path == PATH and self.status:
            raise CloudUnreachable(f"compute GET {path}: {self.status}", self.status)
        return super().get(service, path, *more, **named)


def looks(api: Any, times: int = 1) -> list[list[str]]:
    """The ids that so many pictures show on c1."""
    observer = Observer(api, SystemClock())
    try:
        pictures = [observer.observe(SCOPE) for _ in range(times)]
    finally:
        observer.close()
    return [[one.uuid for one in picture.servers_of("c1")] for picture in pictures]


def test_who_is_listed_is_not_asked_for() -> None:
    api = Counting({})
    assert looks(api) == [[DB2]]
    assert api.asked[PATH] == 0


def test_who_is_left_out_is_shown() -> None:
    api = Counting(EMPTY)
    assert looks(api, 2) == [[DB2], [DB2]]


@pytest.mark.parametrize("place", ["spare1", None])
def test_who_has_left_is_not_shown(place: str | None) -> None:
    """As long as its host has not returned, it keeps its allocation there."""
    moved = {"server": {**server(DB2, "c1"), "OS-EXT-SRV-ATTR:host": place}}
    api = Counting({**EMPTY, PATH: moved})
    assert looks(api, 3) == [[], [], []]
    assert api.asked[PATH] == 1, "once in a while"


def test_who_has_landed_is_not_asked_for() -> None:
    taken = {"allocations": {DB1: {"resources": {"VCPU": 1}}}}
    api = Counting({**EMPTY, "/resource_providers/node-1/allocations": taken})
    assert looks(api) == [[]]
    assert api.asked[f"/servers/{DB1}"] == 0, "its record is done"


def test_what_is_no_server_is_asked_for_once() -> None:
    """A migration has an allocation, too, and a server that was deleted just now."""
    api = Counting(EMPTY, status=404)
    assert looks(api, 3) == [[], [], []]
    assert api.asked[PATH] == 1


def test_a_name_that_is_no_id_is_not_asked_for() -> None:
    taken = {"allocations": {"../../flavors": {"resources": {"VCPU": 1}}}}
    api = Counting({**EMPTY, "/resource_providers/node-1/allocations": taken})
    assert looks(api) == [[]]
    assert {path for path in api.asked if "servers/" in path} == {"/servers/detail"}


def test_no_picture_while_its_cell_is_silent() -> None:
    stub = {"id": DB2, "status": "UNKNOWN"}
    with pytest.raises(CloudUnreachable, match=f"the cell of {DB2} does not answer"):
        looks(Counting({**EMPTY, PATH: {"server": stub}}))


def test_one_that_nova_fails_at_costs_one_server() -> None:
    api = Counting(EMPTY, status=500)
    observer = Observer(api, SystemClock())  # type: ignore[arg-type]
    picture = observer.observe(SCOPE)
    observer.close()
    (found,) = picture.servers_of("c1")
    assert found.uuid == DB2
    assert found.unreadable


def test_a_host_that_placement_does_not_know() -> None:
    class Unknown(Counting):
        def get(self, service: str, path: str, *more: Any, **named: Any) -> Any:
            if path.endswith("/allocations"):
                raise CloudUnreachable("404: no resource provider", 404)
            return super().get(service, path, *more, **named)

    assert looks(Unknown({})) == [[DB2]]


LANDED = Scope(hosts=frozenset({"c1"}), landed=frozenset({DB1}))


def test_who_has_landed_and_is_left_out_is_shown_where_it_is() -> None:
    observer = Observer(Counting({"/servers/detail": {"servers": []}}), SystemClock())  # type: ignore[arg-type]
    assert observer.observe(LANDED).servers[DB1].host == "spare1"
    observer.close()


def test_who_may_come_back_and_is_left_out_is_known() -> None:
    record = {
        "id": 7,
        "instance_uuid": DB2,
        "source_compute": "c1",
        "dest_compute": "c2",
        "status": "finished",
        "migration_type": "resize",
        "created_at": None,
    }
    resized = {**server(DB2, "c2"), "status": "VERIFY_RESIZE"}
    found = {"/os-migrations?c1": {"migrations": [record]}, PATH: {"server": resized}}
    observer = Observer(Counting({**EMPTY, **found}), SystemClock())  # type: ignore[arg-type]
    (away,) = observer.observe(Scope(leaving=frozenset({"c1"}))).unconfirmed
    observer.close()
    assert (away.server.uuid, away.record.id) == (DB2, 7)
