# SPDX-License-Identifier: Apache-2.0
"""``nova-ha pause`` and ``resume`` without a trigger and without a cloud."""

import pytest

from nova_ha_scheduler.cli.who import signed
from nova_ha_scheduler.records.events import EventKind
from tests.unit.cli.conftest import Site

BY = ("--by", "Ann", "--reason", "its cables")


def test_a_pause_is_written_shown_and_ended(site: Site) -> None:
    pause = site.json("pause", *BY, "--until", "2h")
    assert (pause["scope"], pause["by"], pause["reason"]) == (
        "everything",
        signed("Ann"),
        "its cables",
    )
    assert pause["until"] > pause["since"]
    assert site.json("status")["pauses"] == [pause]
    (found,) = site.journal.pauses()
    assert (found.id, found.host, found.zone) == (pause["id"], None, None)
    assert site.json("resume", pause["id"], "--by", "Bob") == [pause]
    assert site.journal.pauses() == []
    assert site.json("status")["pauses"] == []
    begun, ended = site.events()
    assert (begun.kind, ended.kind) == (EventKind.PAUSED, EventKind.RESUMED)
    assert f"by {signed('Ann')}: its cables" in begun.how
    assert ended.reason == f"resumed by {signed('Bob')}"
    listed = site.json("history", "events", "--kind", "pause.ended")
    assert [(row["kind"], row["reason"]) for row in listed] == [
        ("pause.ended", f"resumed by {signed('Bob')}")
    ]


def test_in_an_outage_it_warns_and_holds(site: Site) -> None:
    said = site.run("pause", "node1", *BY)
    assert said.code == 0
    assert "warning: whether there is a host node1 is not known" in said.err
    assert [pause.host for pause in site.journal.pauses()] == ["node1"]
    said = site.run("pause", "--zone", "nfs-a", *BY)
    assert said.code == 0
    assert "warning: whether there is a zone nfs-a is not known" in said.err


def test_several_are_ended_one_by_one(site: Site) -> None:
    for scope in (["node1"], ["node1"], ["node2"], ["--zone", "nfs-a"], []):
        assert site.run("pause", *scope, *BY).code == 0
    by = ("--by", "Bob")
    said = site.run("resume", "node1", *by, "-f", "json")
    assert [row["scope"] for row in said.json] == ["host node1"] * 2
    assert said.err.count("still paused:") == 3
    assert f"still paused: zone nfs-a by {signed('Ann')}: its cables" in said.err
    ended = site.json("resume", "--zone", "nfs-a", *by)
    assert [row["scope"] for row in ended] == ["zone nfs-a"]
    ended = site.json("resume", "--all", *by)
    assert [row["scope"] for row in ended] == ["host node2", "everything"]
    assert site.journal.pauses() == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("node1", "--by", "Ann"), "--reason"),
        (("node1", "--by", " ", "--reason", "x"), "argument --by: it is empty"),
        (("node1", "--by", "Ann", "--reason", ""), "argument --reason: it is empty"),
        (("", *BY), "argument host: it is empty"),
        (("--zone", "", *BY), "argument --zone: it is empty"),
        (("node1", "--zone", "nfs-a", *BY), "a host or --zone, not both"),
        (("--until", "2020-01-01T00:00Z", *BY), "it is past: 2020-01-01 00:00:00 UTC"),
        (("--until", "0s", *BY), "is past"),
        (("--until", "soon", *BY), "and no duration like 90s"),
        (("--until", "99999999999w", *BY), "is too far away"),
        (("node1", "node2", *BY), "node2"),
    ],
)
def test_bad_pauses(site: Site, arguments: tuple[str, ...], words: str) -> None:
    said = site.run("pause", *arguments)
    assert said.code == 2
    assert words in said.err
    assert site.journal.pauses() == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "pauses or hosts, or --zone, or --all"),
        (("node1", "--all"), 2, "pauses or hosts, or --zone, or --all"),
        (("node1", "--zone", "nfs-a"), 2, "pauses or hosts, or --zone, or --all"),
        (("node2",), 1, "there is no pause node2, nor one of a host node2 (there is"),
        (("node1", "12ab"), 1, "there is no pause 12ab"),
        (("--zone", "nfs-b"), 1, "there is no pause of zone nfs-b"),
    ],
)
def test_bad_resumes(
    site: Site, arguments: tuple[str, ...], code: int, words: str
) -> None:
    site.run("pause", "node1", *BY)
    said = site.run("resume", *arguments, "--by", "Bob")
    assert said.code == code
    assert words in said.err
    assert "Traceback" not in said.err
    assert len(site.journal.pauses()) == 1


def test_nothing_to_resume(site: Site) -> None:
    said = site.run("resume", "--all", "--by", "Bob")
    assert (said.code, said.out.strip(), said.err) == (0, "none", "")
    assert site.json("resume", "--all", "--by", "Bob") == []
    said = site.run("resume", "--all", "--by", "")
    assert (said.code, "argument --by: it is empty" in said.err) == (2, True)
