# SPDX-License-Identifier: Apache-2.0
"""Two triggers, one journal: who leads when the other dies, stalls, or wakes again."""

from tests.integration.leadership.conftest import DEAD, Site  # isort: skip

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from nova_ha_scheduler.journal import tables
from tests.lib import backends
from tests.lib.backends import Backend
from tests.lib.recorder import Change
from tests.lib.waiting import PATIENCE, wait

BACKENDS = ["", "file", "etcd", "redis"]
SERVERS = ["etcd", "redis"]

AWAY = "[coordination] backend_url cannot be used"
BACK = "[coordination] backend_url can be used again"


ON_EACH_DATABASE = pytest.mark.parametrize(
    ("database", "backend"),
    [
        ("sqlite", ""),
        ("mariadb", ""),
        ("sqlite", "file"),
        ("mariadb", "etcd"),
        ("sqlite", "redis"),
    ],
    indirect=True,
    ids=lambda kind: kind or "lease",
)
"""Each journal and each backend: the two do not know of each other."""

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What the journal has no part in."""


@pytest.fixture(params=BACKENDS, ids=lambda kind: kind or "lease")
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    with backends.running(request.param, tmp_path / "backend") as found:
        yield found


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """A backend that can be away."""
    with backends.running(request.param, tmp_path / "backend") as found:
        yield found


def strike_at(site: Site, name: str, nth: int, number: int) -> threading.Event:
    """Send the trigger a signal while it waits for the answer to an effect, so that no
    other of its requests is on its way, and between two of its writes: who is stopped
    in the middle of one keeps the database's lock, and the journal, from all others."""
    struck = threading.Event()
    turn = sa.update(tables.single).values(owner=tables.single.c.owner)

    def strike(connection: sa.Connection) -> None:
        connection.execute(turn)
        site.signal(name, number)

    def on_change(change: Change) -> None:
        if change.trigger == name and len(site.cloud.by(name)) == nth:
            site.database.write(strike)
            struck.set()

    site.cloud.on_change = on_change
    return struck


@ON_EACH_DATABASE
def test_kill_9_of_the_leader(site: Site, backend: Backend) -> None:
    """The other one goes on where it stood: every host, and none for a second time."""
    site.start_leader("first", backend)
    site.start_follower("second", backend)
    struck = strike_at(site, "first", 4, signal.SIGKILL)
    site.confirm()
    assert struck.wait(PATIENCE)
    wait("the other one", lambda: site.leads("second"))
    wait("the recoveries", site.all_recovered)
    assert len(site.cloud.by("first")) == 4
    done = [(c.host, c.body) for c in site.cloud.changes]
    # That of which the first did not hear the end may be asked for again.
    assert len(done) - len(set(done)) <= 1
    assert {host for host, _ in done} == set(DEAD)


@ON_EACH_DATABASE
def test_a_stalled_leader_does_nothing_when_it_wakes(
    site: Site, backend: Backend
) -> None:
    site.start_leader("first", backend)
    site.start_follower("second", backend)
    struck = strike_at(site, "first", 4, signal.SIGSTOP)
    site.confirm()
    assert struck.wait(PATIENCE)
    wait("the other one", lambda: site.leads("second"))
    wait("the recoveries", site.all_recovered)
    assert len(site.cloud.by("first")) == 4, "it had many more to do"
    before = at_rest(site)
    site.signal("first", signal.SIGCONT)
    wait("the stand-by", lambda: "Find out what stalled it" in site.log("first"))
    # A while, in which it would have done all that it had in its queue.
    site.cloud.on_change = lambda change: None
    assert at_rest(site) == before
    assert len(site.cloud.by("first")) == 4
    assert "Traceback" not in site.log("first") + site.log("second")


def at_rest(site: Site) -> dict[str, object]:
    """What the journal holds, once it stays so while its lease is renewed."""
    while True:
        found, number = site.contents(), beat(site)
        wait("signs of life", lambda n=number: beat(site) > n + 5)
        if site.contents() == found:
            return found


def beat(site: Site) -> int:
    """The lease's number."""
    single = tables.single
    with site.database.read() as connection:
        query = sa.select(single.c.beat).where(single.c.name == "lease")
        return int(connection.execute(query).scalar_one())


@ON_SQLITE
def test_the_kernel_knows_at_once(site: Site, tmp_path: Path) -> None:
    """With locks on files, nobody waits for the lease of a dead one."""
    with backends.running("file", tmp_path / "backend") as backend:
        site.start_leader("first", backend, lease=100)
        site.start_follower("second", backend, lease=100)
        site.signal("first", signal.SIGKILL)
        wait("the other one", lambda: site.leads("second"))


@ON_SQLITE
def test_an_orderly_end(site: Site, backend: Backend) -> None:
    site.start_leader("first", backend, lease=20)
    site.start_follower("second", backend, lease=20)
    assert site.triggers["first"].stop() == 0
    wait("the other one", lambda: site.leads("second"))

    def told() -> list[str]:
        events = map(json.loads, site.contents()["events"])
        return [e["kind"] for e in events if e["kind"].startswith("trigger.")]

    wait("a word of it", lambda: len(told()) > 1)
    assert told() == ["trigger.active"] * 2


@ON_SQLITE
def test_the_backend_is_away_at_the_start(site: Site, server: Backend) -> None:
    server.stop()
    site.start_leader("first", server)
    site.start_follower("second", server)
    for name in ("first", "second"):
        wait("a word of it", lambda n=name: AWAY in site.log(n))
    site.signal("first", signal.SIGKILL)
    wait("the other one", lambda: site.leads("second"))
    server.start()
    wait("a word of it", lambda: BACK in site.log("second"))
    assert site.log("second").count(AWAY) == 1
    site.confirm()
    wait("the recoveries", site.all_recovered)


@ON_SQLITE
def test_the_backend_is_away_in_the_middle(site: Site, server: Backend) -> None:
    """The leader goes on; if it dies, too, the journal's lease is enough."""
    site.start_leader("first", server)
    site.start_follower("second", server)
    struck = threading.Event()

    def on_change(change: Change) -> None:
        if len(site.cloud.changes) == 3:
            server.stop()
            struck.set()

    site.cloud.on_change = on_change
    site.confirm()
    assert struck.wait(PATIENCE)
    wait("the recoveries", site.all_recovered)
    assert site.cloud.by("second") == []
    wait("a word of it", lambda: AWAY in site.log("first"))
    assert not site.leads("second")
    site.signal("first", signal.SIGKILL)
    wait("the other one", lambda: site.leads("second"))
    assert "Nobody who holds the lock" in site.log("second")


@ON_SQLITE
def test_the_backend_is_restarted(site: Site, server: Backend) -> None:
    """Whether it remembers the lock or not: the leader stays the same."""
    site.start_leader("first", server)
    site.start_follower("second", server)
    server.stop()
    server.start()
    site.confirm()
    wait("the recoveries", site.all_recovered)
    assert site.cloud.by("second") == []
    site.signal("first", signal.SIGKILL)
    wait("the other one", lambda: site.leads("second"))


@ON_SQLITE
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root@127.0.0.1/x", "mysql:// has no lock that a stalled trigger"),
        ("postgresql://x", "or leave it empty"),
        ("memcached://127.0.0.1", "memcached:// has no lock"),
        ("etcd3+http://127.0.0.1:port", "[coordination] backend_url"),
        ("nonsense", "[coordination] backend_url"),
    ],
)
def test_what_cannot_lead_is_refused(site: Site, url: str, words: str) -> None:
    backend = Backend()
    backend.url = url
    process = site.start("first", backend)
    wait("its end", lambda: not process.alive)
    assert words in site.log("first")
    assert "Traceback" not in site.log("first")


@ON_SQLITE
def test_status_says_who_leads(site: Site, backend: Backend) -> None:
    site.start_leader("first", backend)
    program = str(Path(sys.executable).with_name("nova-ha"))
    conf = site.conf("first", backend)
    command = [program, f"--config-file={conf}", "status", "-f", "json"]
    shown = json.loads(subprocess.check_output(command, timeout=PATIENCE))
    pid = site.triggers["first"].pid
    assert shown["active_trigger"].split(":")[1] == str(pid)
