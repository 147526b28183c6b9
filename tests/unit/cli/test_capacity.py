# SPDX-License-Identifier: Apache-2.0
"""``nova-ha capacity`` as monitoring calls it; docs/capacity.md has the tables."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit import commandline

ROOM = "room: '16 vCPU, 64 GiB'"


@pytest.fixture
def capacity(tmp_path: Path) -> Callable[..., commandline.Answer]:
    """Run it on a cloud in the text form."""
    cloud, conf = tmp_path / "cloud.yaml", tmp_path / "nova-ha.conf"
    conf.touch()

    def run(text: str, *arguments: str) -> commandline.Answer:
        cloud.write_text(text)
        read = ("--from-file", str(cloud), *arguments)
        return commandline.run(f"--config-file={conf}", "capacity", *read)

    return run


def _cloud(
    *hosts: str, servers: str = "vm: {host: node1, needs: '4 vCPU, 8 GiB'}"
) -> Any:
    lines = "\n".join(f"  {host}" for host in hosts)
    return f"hosts:\n{lines}\nservers:\n  {servers}\n"


NODE = f"node1: {{zone: nfs-a, {ROOM}}}"
SPARE = f"spare1: {{zone: nfs-a, reserved: true, {ROOM}}}"


def test_all_is_well(capacity: Callable[..., commandline.Answer]) -> None:
    answer = capacity(_cloud(NODE, SPARE), "-f", "json")
    assert answer.code == 0
    (row,) = json.loads(answer.out)
    assert row["zone"] == "nfs-a"
    assert (row["survivable"], row["how"], row["problems"]) == (1, "exact", [])
    assert row["largest_demand"] == {"MEMORY_MB": 8192, "VCPU": 4}


def test_a_zone_without_room(capacity: Callable[..., commandline.Answer]) -> None:
    answer = capacity(_cloud(NODE))
    assert answer.code == 1
    assert "nfs-a: if node1 dies, 1 of 1 protected server would be" in answer.words
    assert "nfs-a: 1 more reserve host as large as node1 (MEM" in answer.words


def test_a_reserve_host_that_is_too_small_is_named(
    capacity: Callable[..., commandline.Answer],
) -> None:
    small = "spare2: {zone: nfs-a, reserved: true, room: '2 vCPU, 64 GiB'}"
    answer = capacity(_cloud(NODE, SPARE, small))
    assert answer.code == 0
    assert (
        "nfs-a: reserve host spare2 is too small for server vm: even when it is empty, "
        "it has 2 of 4 VCPU"
    ) in answer.words


def test_two_failures(capacity: Callable[..., commandline.Answer]) -> None:
    nodes = NODE, f"node2: {{zone: nfs-a, {ROOM}}}"
    servers = "vm1..vm2: {host: node1, needs: '6 vCPU, 8 GiB'}\n"
    servers += "  vm3..vm4: {host: node2, needs: '6 vCPU, 8 GiB'}"
    assert capacity(_cloud(*nodes, SPARE, servers=servers)).code == 0
    answer = capacity(_cloud(*nodes, SPARE, servers=servers), "--failures", "2")
    assert answer.code == 1
    assert "if node1, node2 die together, 2 of 4" in answer.words


def test_for_programs_the_sentences_are_in_the_rows(
    capacity: Callable[..., commandline.Answer],
) -> None:
    answer = capacity(_cloud(NODE), "--hosts", "-f", "json")
    assert answer.code == 1
    (row,) = json.loads(answer.out)
    assert (row["host"], row["left"], row["left_first"]) == ("node1", 1, "vm")
    assert row["zone_problems"][0].startswith("if node1 dies")
    assert answer.err == ""
    (row,) = json.loads(capacity(_cloud(NODE), "-f", "json").out)
    assert row["problems"][0].startswith("if node1 dies")
    chosen = capacity(_cloud(NODE), "-f", "value", "-c", "zone")
    assert chosen.out == "nfs-a\n"
    assert "nfs-a: if node1 dies" in chosen.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--failures", "0"], 2, "0 is no whole number from 1 on"),
        (["--failures", "x"], 2, "x is no whole number from 1 on"),
        (["--zone", "nfs-x"], 2, "no host is in a storage zone nfs-x (perhaps nfs-a?)"),
    ],
)
def test_wrong_arguments(
    capacity: Callable[..., commandline.Answer],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    answer = capacity(_cloud(NODE, SPARE), *arguments)
    assert answer.code == code
    assert words in answer.err


def test_publish(capacity: Callable[..., commandline.Answer], tmp_path: Path) -> None:
    """Of all zones, whatever is shown, and also when there is too little room."""
    file = tmp_path / "admission.json"
    other = f"node2: {{zone: nfs-b, {ROOM}}}"
    answer = capacity(
        _cloud(NODE, SPARE, other, servers="vm: {host: node2, needs: '1 vCPU, 1 GiB'}"),
        "--zone",
        "nfs-b",
        "--publish",
        str(file),
    )
    assert answer.code == 1
    zones = {zone["name"]: zone for zone in json.loads(file.read_text())["zones"]}
    assert zones == {
        "nfs-a": {
            "name": "nfs-a",
            "reserve": [{"name": "spare1", "free": {"MEMORY_MB": 65536, "VCPU": 16}}],
        },
        "nfs-b": {"name": "nfs-b"},
    }


def test_publish_where_nothing_can_be_written(
    capacity: Callable[..., commandline.Answer], tmp_path: Path
) -> None:
    file = tmp_path / "none" / "admission.json"
    answer = capacity(_cloud(NODE, SPARE), "--publish", str(file))
    assert answer.code == 1
    assert f"{file}: No such file or directory" in answer.err
