# SPDX-License-Identifier: Apache-2.0
"""Kept decisions, the same on every database."""

import pytest
import sqlalchemy as sa

from nova_ha_scheduler.cluster.picture import Host, Picture, Scope
from nova_ha_scheduler.evacuation import decisions as decided
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.journal.history import History
from nova_ha_scheduler.journal.kept_decisions import Decisions
from nova_ha_scheduler.journal.tables import decisions
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.state import Change, State
from nova_ha_scheduler.rules.terms import HostFacts
from tests.integration.journal.samples import NASTY

RECOVERY = "c1@1000.1"


def decision(at: float, hosts: int = 3, recovery: str = RECOVERY) -> decided.Decision:
    facts = HostFacts(frozenset({"nfs-a"}), frozenset({"ha"}))
    found = {
        f"{NASTY}{n}": Host(f"{NASTY}{n}", facts, free={"VCPU": n * 7919 % 1009})
        for n in range(hosts)
    }
    event = Event(EventKind.SERVER_ASKED, at, "c1", recovery, server="u1")
    change = Change(events=(event,))
    picture = Picture(at, Scope(), found)
    return decided.made(State(), picture, (), frozenset(), at, Options(), change)


@pytest.fixture
def kept(journal) -> Decisions:
    return Decisions(journal._db)


def keep(journal, kept: Decisions, *some: decided.Decision) -> None:
    """After its commit, as the engine does."""
    for one in some:
        journal.commit(one.change)
        kept.keep(one)


def test_all_of_it_comes_back(journal, kept):
    first, second = decision(1.1), decision(2.2, hosts=2000)
    keep(journal, kept, first, second, decision(3.3, recovery="other"))
    assert [one for _, one in kept.of(RECOVERY)] == [first, second]


def test_the_oldest_go_first(journal):
    some = [decision(float(n), hosts=50) for n in range(1, 6)]
    every = Decisions(journal._db)
    keep(journal, every, some[0])
    with journal._db.read() as connection:
        size = connection.scalar(sa.select(decisions.c.size))
    two = Decisions(journal._db, most=int(size * 2.5))
    keep(journal, two, *some[1:])
    assert [one for _, one in two.of(RECOVERY)] == some[-2:]
    nothing = Decisions(journal._db, most=1)
    nothing.keep(some[0])
    with journal._db.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(decisions)) == 1


def test_purge(journal, kept):
    old, new = decision(1.0), decision(100.0)
    keep(journal, kept, old, new)
    History(journal._db).purge(50.0)
    with journal._db.read() as connection:
        assert connection.scalars(sa.select(decisions.c.at)).all() == [100.0]


def test_what_cannot_be_kept_harms_nothing(journal, kept, caplog):
    journal._db.write(lambda connection: decisions.drop(connection))
    kept.keep(decision(1.0))
    assert "could not be kept" in caplog.text
    journal._db.write(lambda connection: decisions.create(connection))
    keep(journal, kept, decision(2.0))
    assert len(kept.of(RECOVERY)) == 1
