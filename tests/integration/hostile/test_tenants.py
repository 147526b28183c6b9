# SPDX-License-Identifier: Apache-2.0
"""What a tenant writes into its ports, images and volumes is not another's trouble."""

from typing import Any

import pytest

from nova_ha_scheduler.cluster.openstack import whole
from nova_ha_scheduler.cluster.picture import Picture
from tests.lib import answers
from tests.lib.answers import DB1, DB2, MINE, THEIRS, WEB, Json, port

UNBOUND = {
    "id": "evil",
    "project_id": THEIRS,
    "binding:host_id": "",
    "binding:vif_type": "unbound",
    "status": "DOWN",
}
ACCELERATED = {"binding:vnic_type": "accelerator-direct"}


def _with_port(more: Json, device: str = DB1) -> Picture:
    ports = [*answers.bodies()["/ports"]["ports"], {**port(DB1, ""), **more}]
    ports[-1]["device_id"] = device
    return answers.look({"/ports": {"ports": ports}})


@pytest.mark.parametrize(
    "device", [DB1, DB1.upper(), f"{DB1} ", f" {DB1}", DB1.title(), DB1 + "\u0000"]
)
def test_a_port_of_another_tenant_is_nobodys(device: str) -> None:
    """Databases find it by the server's id: MariaDB compares without case, and without
    the blanks at the end."""
    assert _with_port(UNBOUND, device).servers[DB1].missing == ()


@pytest.mark.parametrize("project", [MINE, THEIRS])
def test_an_unbound_port_is_nobodys(project: str) -> None:
    """Whoever makes a port may write any server's id into it; only Nova binds one."""
    more = {**UNBOUND, **ACCELERATED, "project_id": project}
    picture = _with_port(more)
    assert picture.servers[DB1].missing == ()
    waiting = _with_port(more, DB2).servers[DB2]
    assert (waiting.refused_by_nova, waiting.refused_live) == ("", "")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"binding:host_id": "c1"}, "port p is bound to c1"),
        ({"binding:vif_type": "binding_failed"}, "port p is binding_failed"),
        ({"status": "DOWN"}, "port p is down"),
    ],
)
def test_its_own_ports_are_judged(more: Json, words: str) -> None:
    """Whatever case the database gives back its id in."""
    bound = {"id": "p", "binding:host_id": "spare1", **more}
    for device in (DB1, DB1.upper()):
        assert _with_port(bound, device).servers[DB1].missing == (words,)


def test_its_own_accelerator_is_known() -> None:
    picture = _with_port({"id": "p", "binding:host_id": "c1", **ACCELERATED}, DB2)
    assert picture.servers[DB2].refused_by_nova == "port p has an accelerator"


def _whole(ports: list[Json]) -> Picture:
    api: Any = answers.Api({"/ports": {"ports": ports}})
    path = "/servers/detail"
    all_servers = [
        one
        for host in ("?c1", "?c2", "")
        for one in answers.bodies()[path + host]["servers"]
    ]
    api.bodies |= {path: {"servers": all_servers}, "/os-migrations": {"migrations": []}}
    return whole.take(api, answers.Clock())


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({"project_id": THEIRS}, ""),
        ({"binding:host_id": ""}, ""),
        ({"binding:host_id": "spare1"}, ""),
        ({}, "port p has an accelerator"),
    ],
)
def test_neither_in_a_picture_of_all(more: Json, refused: str) -> None:
    """By which plan, capacity, check and admission go."""
    picture = _whole([port(WEB, "c2", **{"id": "p", **ACCELERATED, **more})])
    assert picture.servers[WEB].refused_by_nova == refused


@pytest.mark.parametrize("status", ["backing-up", "in-use", "retyping", "maintenance"])
def test_what_is_done_to_a_volume_does_not_take_it_away(status: str) -> None:
    volumes = [answers.volume(DB1, status=status)]
    picture = answers.look({"/volumes/detail": {"volumes": volumes}})
    assert picture.servers[DB1].missing == ()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"attachments": []}, "volume volume-1 is not attached to it"),
        (
            {"attachments": [{"server_id": WEB}], "status": "in-use"},
            "volume volume-1 is not attached to it",
        ),
        ({"id": "volume-7"}, "volume volume-1 is not shown"),
    ],
)
def test_a_volume_that_is_not_attached(more: Json, words: str) -> None:
    volumes = [answers.volume(DB1, **more)]
    picture = answers.look({"/volumes/detail": {"volumes": volumes}})
    assert picture.servers[DB1].missing == (words,)


def _image(**more: Any) -> Json:
    return {"images": [{"id": "image-1", "trait:CUSTOM_X": "required", **more}]}


@pytest.mark.parametrize(
    ("changed", "traits"),
    [
        ("2025-12-31T23:59:59Z", {"CUSTOM_X"}),
        ("2026-01-01T00:00:00Z", set()),
        ("2026-02-01T00:00:00Z", set()),
        (None, set()),
    ],
)
def test_what_was_added_to_an_image_after_the_boot(
    changed: str | None, traits: set[str]
) -> None:
    """Nova goes by what it was at the boot; its owner cannot bind what runs already."""
    api: Any = answers.Api({"/images": _image(updated_at=changed)})
    observer = answers.Observer(api, answers.Clock())
    assert observer.observe(answers.SCOPE).servers[DB2].traits == traits
    api.bodies["/images"] = _image(
        updated_at="2026-03-01T00:00:00Z", **{"trait:Y": "required"}
    )
    assert observer.observe(answers.SCOPE).servers[DB2].traits == traits
    observer.close()
    path = "/servers/detail"
    api = answers.Api({"/images": _image(updated_at=changed)})
    api.bodies |= {path: api.bodies[f"{path}?c1"], "/os-migrations": {"migrations": []}}
    assert whole.take(api, answers.Clock()).servers[DB2].traits == traits


def test_a_younger_server_has_its_images_asked_for_anew() -> None:
    """What was learned before it was made may not be what it was booted from."""
    api: Any = answers.Api({"/images": _image(updated_at="2025-01-01T00:00:00Z")})
    clock = answers.Clock()
    observer = answers.Observer(api, clock)
    assert observer.observe(answers.SCOPE).servers[DB2].traits == {"CUSTOM_X"}
    clock.time += 1e6
    young = answers.server(DB2, "c1", created="2027-01-20T00:00:00Z")
    api.bodies["/servers/detail?c1"] = {"servers": [young]}
    api.bodies["/images"] = _image(
        updated_at="2027-01-19T00:00:00Z", **{"trait:CUSTOM_Y": "required"}
    )
    found = observer.observe(answers.SCOPE).servers
    observer.close()
    assert found[DB2].traits == {"CUSTOM_X", "CUSTOM_Y"}
    assert found[WEB].traits == set(), "it is older than that"
