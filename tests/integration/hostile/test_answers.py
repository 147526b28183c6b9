# SPDX-License-Identifier: Apache-2.0
"""No answer of the cloud breaks a look, and what cannot be read costs what it is of."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.picture import Picture
from tests.lib import answers
from tests.lib.answers import DB1, DB2, WEB, Json

FIRST = {
    "/os-services": ("services", 0),
    "/os-aggregates": ("aggregates", 0),
    "/servers/detail?c1": ("servers", 0),
    "/servers/detail": ("servers", 0),
    "/os-migrations?c1": ("migrations", 0),
    "/ports": ("ports", 0),
    "/volumes/detail": ("volumes", 0),
    "/os-hypervisors/detail": ("hypervisors", 0),
    "/os-server-groups": ("server_groups", 0),
    "/allocation_candidates": ("provider_summaries", "node-1"),
    "/resource_providers/node-1/allocations": ("allocations", DB2),
    f"/servers/{DB2}": ("server",),
    f"/allocations/{DB2}": ("allocations", "node-1"),
    "/resource_providers": ("resource_providers", 0),
    "/images": ("images", 0),
}
"""Where in each answer an object stands that is none of c2's."""

_TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", " ", "c\n1", "\x1b[2J", "\ud800", "9" * 5000, "x" * 70_000]),
    st.sampled_from(["0-99999999999", "^0-99999999999", "\u202egnp", "../..", "ERROR"]),
)
_JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=True),
        _TEXTS,
        st.sampled_from([[], {}, 10**30, -1]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3)
    ),
    max_leaves=6,
)


def _places(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a value."""
    items = found.items() if isinstance(found, dict) else ()
    items = enumerate(found) if isinstance(found, list) else items
    below = [place for key, value in items for place in _places(value, (*path, key))]
    return [path, *below]


def _spoilt(body: Json, place: tuple[Any, ...], junk: Any, gone: bool) -> Json:
    body = copy.deepcopy(body)
    *above, last = place
    holder: Any = body
    for key in above:
        holder = holder[key]
    if gone and isinstance(holder, dict):
        del holder[last]
    else:
        holder[last] = junk
    return body


@st.composite
def spoilt_objects(draw: st.DrawFn) -> dict[str, Json]:
    """One object of one answer, with something else in one of its places."""
    path = draw(st.sampled_from(sorted(FIRST)))
    body, where = answers.bodies()[path], FIRST[path]
    found: Any = body
    for key in where:
        found = found[key]
    place = (*where, *draw(st.sampled_from(_places(found))))
    return {path: _spoilt(body, place, draw(_JUNK), draw(st.booleans()))}


def assert_c2_is_well(picture: Picture, well: Picture) -> None:
    web, host = picture.servers[WEB], picture.hosts["c2"]
    offered = web.kind in (host.offers or ())
    assert offered == (well.servers[WEB].kind in (well.hosts["c2"].offers or ()))
    assert replace(host, offers=None) == replace(well.hosts["c2"], offers=None)
    numbered = replace(web, kind=well.servers[WEB].kind)
    assert numbered == well.servers[WEB]
    assert picture.servers_of("c2") == [web]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(spoilt_objects())
def test_one_object_costs_one_object(found: dict[str, Json]) -> None:
    """All of c2 is as before, and c1 and its server are not forgotten."""
    well, picture = answers.look({}), answers.look(found)
    assert_c2_is_well(picture, well)
    (path,) = found
    if path != "/os-services":
        assert "c1" in picture.hosts
    if path == "/servers/detail?c1":
        elsewhere = _text(found, path, "OS-EXT-SRV-ATTR:host")
        assert picture.servers_of("c1") or elsewhere
    if path == "/os-migrations?c1":
        elsewhere = _text(found, path, "source_compute")
        assert picture.migrations or picture.unread or elsewhere


def _text(found: dict[str, Json], path: str, key: str) -> bool:
    """Whether an object says something else there that can be read."""
    list_of, first = FIRST[path]
    said = found[path][list_of][first]
    return isinstance(said, dict) and isinstance(said.get(key, None), (str, type(None)))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(answers.bodies())), st.data())
def test_an_answer_may_be_anything(path: str, data: st.DataObject) -> None:
    """No list is no answer; whatever else it is, there is a picture."""
    keys = list(answers.bodies()[path])
    shape = st.fixed_dictionaries({keys[0]: _JUNK})
    body = data.draw(st.one_of(_JUNK, shape, st.dictionaries(_TEXTS, _JUNK)))
    try:
        picture = answers.look({path: body})
    except CloudUnreachable:
        return
    if path != "/os-services":
        assert {"c1", "c2"} <= picture.hosts.keys()


@pytest.mark.parametrize(
    ("path", "key", "junk", "words"),
    [
        ("/servers/detail?c1", "flavor", {}, "server server-2 (vcpus is missing)"),
        (
            "/servers/detail?c1",
            "metadata",
            None,
            "server-2 (metadata is None",
        ),
        (
            "/servers/detail",
            "flavor",
            None,
            "server-1 (flavor is None",
        ),
        ("/servers/detail", "locked", "no", "server server-1 (locked is no)"),
        (
            "/os-services",
            "updated_at",
            "yesterday\x1b[2J",
            r"compute service c1 (yesterday\x1b[2J is no time)",
        ),
        ("/os-migrations?c1", "status", 5, "migration record 1 (status is 5)"),
        (
            "/os-aggregates",
            "metadata",
            "ha=true",
            "aggregate of-c1 (its metadata cannot be read)",
        ),
    ],
)
def test_what_cannot_be_read_is_named(
    path: str, key: str, junk: Any, words: str
) -> None:
    body = _spoilt(answers.bodies()[path], (*FIRST[path], key), junk, False)
    (unread,) = answers.look({path: body}).unread
    assert words in str(unread)


def test_a_server_of_a_dead_host_is_never_silently_missing() -> None:
    for junk in (None, 5, [], {"id": DB2}, {"name": "db"}):
        picture = answers.look({"/servers/detail?c1": {"servers": [junk]}})
        assert any(there.unreadable for there in picture.servers_of("c1"))
        assert DB2 in picture.servers, "by its id"


def test_a_landed_server_whose_id_cannot_be_read_is_not_gone() -> None:
    body: Json = {"/servers/detail": {"servers": [{"id": 7}]}}
    assert answers.look(body).servers[DB1].host == "spare1"
    body[f"/servers/{DB1}"] = {"server": {"id": 7}}
    assert answers.look(body).servers[DB1].unreadable


@pytest.mark.parametrize("junk", [None, {}, {"id": 1}, {"id": 1, "hosts": "c1"}])
def test_a_host_whose_zone_cannot_be_known_has_none(junk: Any) -> None:
    """And the others have theirs, as it was seen before who was in it."""
    others = answers.bodies()["/os-aggregates"]["aggregates"][1:]
    picture = answers.look({"/os-aggregates": {"aggregates": [junk, *others]}})
    assert picture.hosts["c1"].facts.bad_value("storage_zone")
    assert not picture.hosts["c2"].facts.bad
    assert picture.hosts["c2"].facts.zones == {"nfs-a"}


def test_of_an_aggregate_that_was_never_read_any_host_may_be() -> None:
    api: Any = answers.Api({"/os-aggregates": {"aggregates": [None]}})
    hosts = answers.Observer(api, answers.Clock()).observe(answers.SCOPE).hosts
    assert all(host.facts.bad_value("storage_zone") for host in hosts.values())


def test_a_service_that_cannot_be_read_is_neither_dead_nor_gone() -> None:
    services = answers.bodies()["/os-services"]["services"]
    services[0]["forced_down"] = "yes"
    host = answers.look({"/os-services": {"services": services}}).hosts["c1"]
    assert host.unreadable
    assert host.facts.zones == {"nfs-a"}, "the guard still counts it in its zone"
    services[0]["host"] = None
    picture = answers.look({"/os-services": {"services": services}})
    assert "c1" not in picture.hosts
    stand_in = picture.host("c1")
    assert stand_in is not None
    assert stand_in.unreadable
