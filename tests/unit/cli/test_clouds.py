# SPDX-License-Identifier: Apache-2.0
"""Where commands take their cloud from, and what they say of bad arguments."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Site

CLOUD = Path(__file__).parents[3] / "docs" / "examples" / "cloud.yaml"
FILE = ("--from-file", str(CLOUD))
LINE = ("--synthetic", "2 zones of 3 hosts of 8 vCPU, 50 % full")


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (("plan",), 2, "name a host"),
        (("plan", "compute-9", *FILE), 2, "compute-9: no nova-compute service"),
        (("plan", "compute-1", *FILE, *LINE), 1, "give one of them"),
        (
            ("plan", "a", "--from-file", "/nowhere/c.json"),
            1,
            "/nowhere/c.json: No such",
        ),
        (("plan", "a", "--from-file", str(CLOUD.parent)), 1, "Is a directory"),
        (("plan", "a", "--from-file", __file__), 1, f"{__file__}: it is no"),
        (("plan", "a", "--synthetic", "3 of them"), 1, "'3 of them' is not underst"),
        (("plan", "--apply", "/nowhere/p"), 2, "--confirm-fenced, --by and --reason"),
        (("plan", "--apply", "p", *FILE), 2, "about the live cloud"),
        (("plan", "--apply", "p", "--out", "q"), 2, "about the live cloud"),
        (("plan", "compute-1", *FILE, "--out", "/nowhere/p"), 1, "/nowhere/p: No such"),
        (("explain", "nix", *FILE), 2, "nix: no server on a host has this id"),
        (("explain", "db-1", *FILE, "--host", "x"), 2, "x: no nova-compute service"),
        (("explain", "db-1", *FILE, "--operation", "fly"), 2, "invalid choice"),
        (("snapshot", "/nowhere/c.json", *FILE), 1, "/nowhere/c.json: No such"),
        (("snapshot", "c.json"), 1, "keystone does not answer at http://127.0.0.1:"),
    ],
)
def test_what_is_wrong_is_said(
    site: Site,
    arguments: tuple[str, ...],
    code: int,
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    answer = site.run(*arguments)
    assert answer.code == code, answer.err
    assert problem in answer.err
    assert set(tmp_path.iterdir()) == before


def test_apply_without_a_file(site: Site) -> None:
    word = ("--confirm-fenced", "--by", "Ann", "--reason", "both cords")
    answer = site.run("plan", "--apply", "/nowhere/p", *word)
    assert (answer.code, answer.out) == (1, "")
    assert "/nowhere/p: No such file" in answer.err


def test_the_same_from_text_and_from_its_snapshot(site: Site, tmp_path: Path) -> None:
    """Whatever the file, and however often: the same text."""
    kept = tmp_path / "cloud.json"
    site.run("snapshot", str(kept), *FILE)
    order = ("plan", "compute-1", "--long", "--all", "-f", "json", "--from-file")
    found = [site.run(*order, str(file)) for file in (CLOUD, kept, kept)]
    assert {answer.code for answer in found} == {3}
    assert len({answer.out for answer in found}) == 1
    rows = {row["name"]: row for row in json.loads(found[0].out)}
    assert rows["db-1"]["candidate_hosts"] == ["compute-3", "spare-a"]
    assert rows["vault"]["reason"] == ["Nova refuses: it has a vTPM (2.0)"]
    assert rows["build"]["outcome"] == "leave"


def test_several_servers_of_one_name(site: Site, tmp_path: Path) -> None:
    kept = tmp_path / "cloud.json"
    site.run("snapshot", str(kept), *FILE)
    kept.write_text(kept.read_text().replace('"name": "web-2"', '"name": "web-1"'))
    answer = site.run("explain", "web-1", "--from-file", str(kept))
    assert answer.code == 1
    assert "say which: uuid-web-1, uuid-web-2" in answer.err
    shown = site.run("explain", "uuid-web-2", "--from-file", str(kept))
    assert shown.code == 0


def test_hosts_that_the_trigger_leaves_alone(site: Site) -> None:
    said = site.run("plan", "compute-6", *FILE).err
    assert "compute-6: left alone: it is under maintenance" in said
