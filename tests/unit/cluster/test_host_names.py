# SPDX-License-Identifier: Apache-2.0
"""A host is what Nova calls it; whoever writes another name is told."""

import pytest

from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.errors import Refused

KNOWN = {"node1", "node10", "node2.example.org", "Node3", "spare"}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("NODE2.EXAMPLE.ORG", ["node2.example.org"]),
        ("node2", ["node2.example.org"]),
        ("spare.example.org", ["spare"]),
        ("node3", ["Node3"]),
        ("node", ["Node3", "node1", "node10", "node2.example.org"]),
        ("nod", ["Node3", "node1", "node10", "node2.example.org"]),
        ("sparre", ["spare"]),
        ("xyz", []),
        ("", []),
        ("node100", []),
        ("Node1.example.org", ["node1"]),
    ],
)
def test_perhaps(said: str, meant: list[str]) -> None:
    assert host_names.perhaps(said, KNOWN) == meant


def test_exact_names_only() -> None:
    for host in KNOWN:
        host_names.require(host, KNOWN)
    with pytest.raises(Refused, match=r"nod: no .* exactly .*Node3.* or 1 more\?"):
        host_names.require("nod", KNOWN)
    with pytest.raises(Refused, match="host name$"):
        host_names.require("xyz", KNOWN)


@pytest.mark.parametrize(
    ("host", "known", "words"),
    [
        ("compute-1", {"compute-1.example.org"}, " (perhaps compute-1.example.org?)"),
        ("compute-1.example.org", {"compute-1"}, " (perhaps compute-1?)"),
        ("COMPUTE-1", {"compute-1", "compute-2"}, " (perhaps compute-1?)"),
        ("compute-1", {"compute-10", "compute-11", "compute-2", "compute-1b"}, ""),
        ("compute-10", {"compute-1"}, ""),
        ("rack-a-1", {"rack-b-1"}, ""),
        ("compute-1.a.org", {"compute-1.b.org"}, ""),
        ("compute-1", {"compute-1.a.org", "compute-1.b.org"}, ""),
        ("10.0.0", {"10.0.0.1"}, ""),
        ("compute-1", {""}, ""),
    ],
)
def test_the_same_machine(host: str, known: set[str], words: str) -> None:
    """Its name without the domain, or with it, and never a name that is alike."""
    assert host_names.same_machine(host, known) == words
