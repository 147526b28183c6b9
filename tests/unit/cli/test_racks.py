# SPDX-License-Identifier: Apache-2.0
"""``nova-ha confirm-fenced`` of several hosts; the cloud is what Glance shows of it."""

from types import SimpleNamespace

import pytest

from nova_ha_scheduler.cli.quick_look import QuickLook
from nova_ha_scheduler.cluster.host_names import UnknownName
from tests.unit.cli.conftest import Site

BY = ("--by", "Ann", "--reason", "the rack is dark")


def ordered(site: Site) -> list[str]:
    return sorted(c.host for c in site.journal.load(0).commands.values())


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three hosts; two are in a zone, and in an aggregate."""

    def host(name: str, *zones: str) -> SimpleNamespace:
        return SimpleNamespace(name=name, facts=SimpleNamespace(zones=zones))

    hosts = {h.name: h for h in (host("c1", "nfs-a"), host("c2", "nfs-a"), host("c3"))}

    def aggregate(_: QuickLook, name: str) -> list[str]:
        if name != "rack7":
            raise UnknownName(f"there is no aggregate {name}")
        return ["c2", "c1", "controller"]

    monkeypatch.setattr(QuickLook, "__init__", lambda self, conf: None)
    monkeypatch.setattr(QuickLook, "hosts", lambda self: SimpleNamespace(hosts=hosts))
    monkeypatch.setattr(QuickLook, "aggregate", aggregate)


@pytest.mark.usefixtures("cloud")
def test_each_host_has_its_answer(site: Site) -> None:
    rows = site.json("confirm-fenced", "c2", "c1", "c2", *BY)
    assert [row["host"] for row in rows] == ["c2", "c1"]
    assert {row["answer"] for row in rows} == {"queued: no trigger is active"}
    assert ordered(site) == ["c1", "c2"]


@pytest.mark.usefixtures("cloud")
def test_a_name_that_nova_does_not_know_stops_all(site: Site) -> None:
    said = site.run("confirm-fenced", "c1", "C2", *BY)
    assert said.code == 2
    assert "C2: no nova-compute service has exactly this host name" in said.err
    assert "nothing was ordered" in said.err
    assert ordered(site) == []


def test_names_go_unseen_while_the_cloud_is_silent(site: Site) -> None:
    said = site.run("confirm-fenced", "c1", "c2", *BY)
    assert said.code == 0, said
    assert "warning: the names are not looked up" in said.err
    assert ordered(site) == ["c1", "c2"]


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("group", [("--zone", "nfs-a"), ("--aggregate", "rack7")])
def test_a_rack_needs_a_yes(site: Site, group: tuple[str, str]) -> None:
    said = site.run("confirm-fenced", *group, *BY)
    assert said.code == 2
    assert "2 hosts: c1, c2: --yes is needed" in said.err
    assert ordered(site) == []
    assert len(site.json("confirm-fenced", *group, *BY, "--yes")) == 2
    assert ordered(site) == ["c1", "c2"]


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(("typed", "code"), [("yes\n", 0), ("y\n", 1), ("", 1)])
def test_a_yes_that_is_typed(
    site: Site, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    terminal = SimpleNamespace(isatty=lambda: True, readline=lambda: typed)
    monkeypatch.setattr("sys.stdin", terminal)
    said = site.run("confirm-fenced", "--zone", "nfs-a", *BY)
    assert said.code == code
    assert "2 hosts: c1, c2. Are all of them off?" in said.err
    assert ordered(site) == (["c1", "c2"] if code == 0 else [])


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("group", [("--zone", "ceph"), ("--aggregate", "rack8")])
def test_a_group_that_is_none(site: Site, group: tuple[str, str]) -> None:
    said = site.run("confirm-fenced", *group, *BY, "--yes")
    assert said.code == 2
    assert group[1] in said.err
    assert ordered(site) == []


@pytest.mark.parametrize("group", [("--zone", "nfs-a"), ("--aggregate", "rack7")])
def test_a_group_needs_the_cloud(site: Site, group: tuple[str, str]) -> None:
    said = site.run("confirm-fenced", *group, *BY, "--yes")
    assert said.code == 1
    assert "is not known, name them" in said.err
    assert ordered(site) == []


@pytest.mark.parametrize("words", [(), ("c1", "--zone", "nfs-a")])
def test_one_way_to_say_it(site: Site, words: tuple[str, ...]) -> None:
    assert site.run("confirm-fenced", *words, *BY).code == 2
