# SPDX-License-Identifier: Apache-2.0
"""A recovery that the trigger of an older version has begun, and this one ends; then
the older one again, which refuses the journal."""

from tests.integration.crash.conftest import Site, running  # isort: skip  (prepares for Nova)

import collections
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nova_ha_scheduler.journal.history import HistoryQuery
from nova_ha_scheduler.records.events import EventKind
from tests.integration.crash.lives import CONF, Lives
from tests.integration.crash.points import BY_NAME
from tests.integration.upgrades import old
from tests.lib import rig
from tests.lib.cloud.config import Conf, merge

FENCING = [EventKind.HOST_CONFIRMED, EventKind.HOST_FENCING]
ONCE = [
    EventKind.TRIGGER_ACTIVE,
    EventKind.LOGGED_IN,
    EventKind.HOST_SUSPECTED,
    EventKind.HOST_FENCED,
    EventKind.HOST_EVACUATING,
    EventKind.TRIGGER_REPLACED,
    EventKind.HOST_RECOVERED,
]
REFUSAL = "the journal was written by a newer version than this one"


@dataclass(frozen=True)
class Middle:
    """Where the older trigger is killed.

    :ivar rebuild: seconds that Nova takes for each server.
    :ivar at_once: evacuations under way at most.
    :ivar fencings: how often the power-off is begun.
    """

    name: str
    point: str
    rebuild: float = 0.0
    at_once: int = 40
    fencings: int = 1


MIDDLES = [
    Middle("not fenced yet", "power-off-lost", fencings=2),
    Middle("fenced, nothing asked", "disable-done"),
    Middle("a request that was lost", "first-evacuation-lost"),
    Middle("all asked and moving", "last-evacuation-asked", rebuild=8),
    Middle("one moved, the others not", "second-evacuation-lost", at_once=1),
]
HOSTS = [f"node{number}" for number in range(1, len(MIDDLES) + 1)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("site"), HOSTS) as found:
        yield found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return old.installed(tmp_path_factory.mktemp("old"))


@pytest.fixture
def lives(middle: Middle, site: Site, tmp_path: Path) -> Iterator[Lives]:
    found = Lives(site, HOSTS[MIDDLES.index(middle)], tmp_path)
    site.cloud.hardware.rebuild_seconds = middle.rebuild
    yield found
    found.repair()


@pytest.mark.parametrize("middle", MIDDLES, ids=lambda middle: middle.name)
def test_ended_by_this_version_and_no_way_back(
    site: Site, installed: Path, lives: Lives, middle: Middle, tmp_path: Path
) -> None:
    today = lives.trigger
    same: Conf = {
        "database": {"connection": f"sqlite:///{today.journal}"},
        "evacuation": {"max_in_flight": middle.at_once},
    }
    older = old.trigger(installed, tmp_path / "old", site, merge(CONF, same))
    lives.trigger = older
    lives.die_at(BY_NAME[middle.point])
    lives.trigger = today
    lives.recover()
    lives.require_once()
    require_history(today, lives, middle)

    before = old.contents(today)
    refused = older.start()
    site.cloud.wait("the end of the older trigger", lambda: not refused.alive)
    assert refused.stop() == 1
    assert refused.log.read_text() == f"nova-ha-evacuator: {REFUSAL}\n"
    for command in (["status"], ["history", "list"], ["pause", "--by=a", "--reason=b"]):
        done = older.ask(*command)
        assert (done.returncode, done.stderr) == (1, f"{REFUSAL}\n")
    assert old.contents(today) == before
    with today.running():
        assert HOSTS[MIDDLES.index(middle)] in today.nova_ha("status")


def require_history(trigger: rig.Trigger, lives: Lives, middle: Middle) -> None:
    """It tells each thing once, whichever version has seen it, and why."""
    events = [event for _, event in trigger.history().events(HistoryQuery(limit=None))]
    told = collections.Counter(event.kind for event in events if not event.server)
    again = dict.fromkeys(FENCING, middle.fencings)
    assert told == dict.fromkeys(ONCE, 1) | again
    for kind in (EventKind.SERVER_ASKED, EventKind.SERVER_RECOVERED):
        servers = [event.server for event in events if event.kind is kind]
        assert set(servers) == lives.servers
    assert len(servers) == len(lives.servers), "each recovered once"
    replayed = trigger.ask("replay", HOSTS[MIDDLES.index(middle)])
    assert re.fullmatch(
        r"This program decides the same in \d+ of \d+ decisions\.\n", replayed.stderr
    )
    assert "host.suspected" in replayed.stdout, "what the older one has decided, too"
