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
        ("nod", ["Node3", "node1", "node10", "node2.example.org"]),
        ("sparre", ["spare"]),
        ("xyz", []),
        ("", []),
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
