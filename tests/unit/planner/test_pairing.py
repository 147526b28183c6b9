# SPDX-License-Identifier: Apache-2.0
"""A host for each dead host."""

import random

import pytest

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.planner import pairing, repacking
from nova_ha_scheduler.planner.board import Board
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.packing import place_all
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.rules.terms import HostFacts

TAGS = {"storage_zone": "nfs-a", "ha": "true"}
FULL = {"VCPU": 0, "MEMORY_MB": 0}


def _host(name: str, free: dict[str, int]) -> Host:
    return Host(name, HostFacts.of([TAGS]), free=free)


def _server(name: str, on: str, vcpus: int, ram: int, **values: str) -> Server:
    needs = {"VCPU": vcpus, "MEMORY_MB": ram}
    return Server(name, name, on, extra_specs={"ha": "true"}, needs=needs, **values)


def _board(dead: list[str], spares: dict[str, dict[str, int]]) -> Board:
    hosts = [*(_host(n, FULL) for n in dead), *(_host(*s) for s in spares.items())]
    ground = Ground({h.name: h for h in hosts}, Preferences())
    return Board(ground, frozenset(dead))


def _tight() -> tuple[Board, list[Server]]:
    """Each of eight spares is exactly as large as the load of one of eight hosts."""
    draw = random.Random(7)
    servers, spares = [], {}
    for n in range(8):
        load = [(draw.randint(1, 9), draw.randint(1, 9)) for _ in range(12)]
        servers += [_server(f"s{n}-{k}", f"h{n}", *size) for k, size in enumerate(load)]
        vcpus, ram = (sum(column) for column in zip(*load, strict=True))
        spares[f"spare{7 - n}"] = {"VCPU": vcpus, "MEMORY_MB": ram}
    return _board([f"h{n}" for n in range(8)], spares), servers


def test_where_nothing_may_be_spread() -> None:
    board, servers = _tight()
    decisions = place_all(board.unlimited(), servers)
    assert all(decision.destination for _, decision in decisions)
    assert len({(s.host, d.destination) for s, d in decisions}) == 8


def test_without_it_somebody_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the luck of a search."""
    monkeypatch.setattr(pairing, "pair", lambda *_: None)
    monkeypatch.setattr(repacking, "_EFFORT", 0)
    board, servers = _tight()
    assert not all(d.destination for _, d in place_all(board.unlimited(), servers))


def test_one_gives_way_to_another() -> None:
    """h1 could have either, h2 only the larger one."""
    board = _board(
        ["h1", "h2"],
        {"a": {"VCPU": 9, "MEMORY_MB": 9}, "b": {"VCPU": 6, "MEMORY_MB": 6}},
    )
    servers = [_server("x", "h1", 6, 6), _server("y", "h2", 9, 9)]
    assert pairing.pair(board, servers, {}) == {"h1": "b", "h2": "a"}
    assert pairing.pair(board, servers, {"x": {"b"}}) is None


def test_not_enough() -> None:
    board = _board(["h1", "h2"], {"a": {"VCPU": 9, "MEMORY_MB": 9}})
    servers = [_server("x", "h1", 5, 5), _server("y", "h2", 5, 5)]
    assert pairing.pair(board, servers, {}) is None


def test_a_group_is_kept_apart() -> None:
    board = _board(["h1"], {"a": {"VCPU": 9, "MEMORY_MB": 9}})
    group = {"group": "g"}
    servers = [_server("x", "h1", 1, 1, **group), _server("y", "h1", 1, 1, **group)]
    assert pairing.pair(board, servers, {}) is None
