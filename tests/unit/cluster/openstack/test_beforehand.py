# SPDX-License-Identifier: Apache-2.0
"""What is asked for each server, and for each encrypted volume, beforehand."""

from typing import Any, cast

import pytest

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import beforehand
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.picture import Host, Picture, Scope, Server

ONE, TWO = (
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
)
OPEN, CLOSED = (f"3333333{n}-3333-4333-8333-333333333333" for n in (1, 2))
PLAIN = "44444444-4444-4444-8444-444444444444"
SERVERS = {ONE: Server(ONE, "one", "node1"), TWO: Server(TWO, "two", "node2")}
VOLUMES = "os-extended-volumes:volumes_attached"


class Cloud:
    """Answers what stands in it by path, and an error for the rest."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def get(self, service: str, path: str, *_: Any) -> Any:
        self.asked.append(f"{service} {path}")
        found = self.answers.get(path, 500)
        if isinstance(found, int):
            raise CloudUnreachable(f"{service} GET {path}: {found}", found)
        return found

    def status(self, service: str, method: str, path: str) -> int:
        self.asked.append(f"{service} {method} {path}")
        return int(self.answers.get(path, 500))

    def pages(self, service: str, path: str, key: str, *_: Any, **more: Any) -> Any:
        return iter(self.get(service, path)[key])


def volume(uuid: str, server: str, encrypted: bool) -> dict[str, Any]:
    return {
        "id": uuid,
        "encrypted": encrypted,
        "attachments": [{"server_id": server}],
    }


def cloud(**changes: Any) -> Cloud:
    volumes = [
        volume(OPEN, ONE, True),
        volume(CLOSED, ONE, True),
        volume(PLAIN, ONE, False),
    ]
    attached = [{"id": one["id"]} for one in volumes]
    shown = {"id": ONE, "tenant_id": "p1", "OS-EXT-STS:vm_state": "active"}
    answers = {
        "/servers/detail": {"servers": [{**shown, VOLUMES: attached}]},
        "/volumes/detail": {"volumes": volumes},
        f"/volumes/{OPEN}/encryption": {"encryption_key_id": "key-1"},
        f"/volumes/{CLOSED}/encryption": {"encryption_key_id": "key-2"},
        "/secrets/key-1/payload": 405,
        "/secrets/key-2/payload": 403,
        f"/servers/{ONE}/shares": {"shares": [{"share_id": "s1"}, {"share_id": "s2"}]},
        f"/servers/{TWO}/shares": {"shares": []},
    }
    return Cloud({**answers, **changes})


def test_a_key_that_may_not_be_read_is_told_with_its_remedy() -> None:
    asked = cloud()
    found = beforehand.locked(cast(Api, asked), {ONE: SERVERS[ONE]})
    ((server, (words,)),) = found.items()
    assert server == ONE
    assert words.startswith(f"volume {CLOSED} is encrypted")
    assert "openstack acl user add" in words
    assert "key-2" in words
    assert f"block_storage /volumes/{PLAIN}/encryption" not in asked.asked


def test_who_does_not_say_is_no_yes() -> None:
    with pytest.raises(CloudUnreachable):
        beforehand.locked(cast(Api, cloud(**{"/secrets/key-2/payload": 503})), SERVERS)


def test_without_volumes_cinder_is_not_asked() -> None:
    asked = cloud(**{"/servers/detail": {"servers": []}})
    assert beforehand.locked(cast(Api, asked), SERVERS) == {}
    assert not any("block_storage" in path for path in asked.asked)


def test_nova_refuses_a_server_with_shares() -> None:
    hosts = {name: Host(name) for name in ("node1", "node2")}
    picture = Picture(0.0, Scope(), hosts, SERVERS)
    asked = cloud()
    found = beforehand.with_shares(cast(Api, asked), picture, ["node1", "node2"])
    assert "2 shares" in found.servers[ONE].refused_by_nova
    assert "openstack server remove share" in found.servers[ONE].refused_by_nova
    assert found.servers[TWO] == SERVERS[TWO]
    beforehand.with_shares(cast(Api, asked), picture, ["node2"])
    assert asked.asked.count(f"compute /servers/{ONE}/shares") == 1


def test_a_server_that_is_gone_has_none() -> None:
    picture = Picture(0.0, Scope(), {"node2": Host("node2")}, {TWO: SERVERS[TWO]})
    asked = cloud(**{f"/servers/{TWO}/shares": 404})
    assert beforehand.with_shares(cast(Api, asked), picture, ["node2"]) == picture
