# SPDX-License-Identifier: Apache-2.0
"""A real Pacemaker fences its remote nodes, and what it says becomes a word, or none.

Each node of the cluster is a machine with a trigger: its part that takes words, on one
journal for both.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.service.startup import load
from nova_ha_scheduler.spool.taker import Taker
from tests.lib.pacemaker import cluster
from tests.lib.pacemaker.cluster import CLUSTER, Cluster
from tests.lib.waiting import PATIENCE, wait

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes machines")
pytestmark = ROOT

ACL = "system.posix_acl_access"
TOLD = "compute-1: the trigger on this machine is told"


class Site:
    """A cluster whose node a1 is Nova's compute-1, and the journal of its triggers."""

    def __init__(self, nodes: Cluster, journal: SqlJournal) -> None:
        self.cluster, self._journal = nodes, journal
        self._takers = [Taker(str(nodes.words(name)), journal) for name in CLUSTER]
        self._orders: set[str] = set()
        self._said: dict[str, int] = {}

    def begin(self) -> None:
        """All nodes are there again, and what was said before is told no more."""
        for name in cluster.REMOTE:
            if not self.cluster.is_on(name):
                self.cluster.boot(name)
        self.cluster.wait_for_all()
        self.orders()
        self.cluster.asked.clear()
        self._said = {name: len(self.cluster.said(name)) for name in CLUSTER}

    def orders(self) -> list[Command]:
        """The orders that words have become since this was asked last."""
        for taker in self._takers:
            taker.take()
        found = self._journal.load(0).commands
        new = [order for key, order in found.items() if key not in self._orders]
        self._orders |= found.keys()
        return new

    def said(self, name: str) -> list[str]:
        """What a node's alert agent has said since the test began."""
        return self.cluster.said(name)[self._said[name] :]

    def wait_for(self, words: str) -> None:
        """The agent has said so on each node of the cluster."""
        missing = dict.fromkeys(CLUSTER, words)
        self.wait(missing)

    def wait(self, wanted: dict[str, str]) -> None:
        end = time.monotonic() + PATIENCE
        while not all(
            any(re.search(words, line) for line in self.said(name))
            for name, words in wanted.items()
        ):
            found = {name: self.said(name) for name in CLUSTER}
            assert time.monotonic() < end, f"{wanted} is missing: {found}"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("pacemaker")
    conf = folder / "nova-ha.conf"
    conf.write_text(f"[database]\nconnection = sqlite:///{folder}/journal.sqlite\n")
    database = Database(load("test", [f"--config-file={conf}"]))
    database.upgrade()
    with cluster.running(folder, "a1=compute-1") as nodes:
        yield Site(nodes, SqlJournal(database))
    database.dispose()


@pytest.fixture
def site(made: Site) -> Iterator[Site]:
    made.begin()
    yield made
    made.cluster.broken.clear()


def test_a_remote_node_loses_its_power(site: Site) -> None:
    """Both nodes of the cluster give the word, and it is one."""
    before = int(time.time())
    site.cluster.cut("a1")
    site.wait_for(TOLD)
    assert ("off", "a1") in site.cluster.asked
    (order,) = site.orders()
    assert (order.kind, order.host) == (CommandKind.CONFIRM_FENCED, "compute-1")
    assert order.by == "Pacemaker (user hacluster)"
    said = "the cluster powered off node a1: Operation off of a1 by n[12] for "
    assert re.match(said, order.reason)
    assert before <= order.at <= time.time()


def test_a_fence_that_fails_is_no_proof_and_the_one_that_succeeds_is(
    site: Site,
) -> None:
    site.cluster.broken.add("a2")
    site.cluster.cut("a2")
    site.wait_for(r"a2: fencing failed \(.+\): not confirmed")
    assert site.orders() == []
    site.cluster.broken.clear()
    site.wait_for("a2: the trigger on this machine is told")
    (order,) = site.orders()
    assert (order.host, order.by) == ("a2", "Pacemaker (user hacluster)")


@pytest.fixture
def rebooting(site: Site) -> Iterator[None]:
    """The cluster as it is where nobody has said "off": it reboots."""
    action = ("crm_attribute", "--name", "stonith-action")
    site.cluster.run("n1", *action, "--delete")
    yield
    site.cluster.run("n1", *action, "--update", "off")


@pytest.mark.usefixtures("rebooting")
def test_a_reboot_is_no_proof(site: Site) -> None:
    site.cluster.cut("a1")
    site.wait_for("a1: reboot is no power-off: not confirmed; set the cluster property")
    assert ("reboot", "a1") in site.cluster.asked
    assert site.orders() == []


def test_a_persons_word_is_passed_on_as_one(site: Site) -> None:
    """The fence device is broken, and somebody has looked."""
    site.cluster.broken.add("a1")
    site.cluster.cut("a1")
    site.wait_for("a1: fencing failed")
    site.cluster.run("n2", "stonith_admin", "--confirm", "a1")
    site.wait_for(TOLD)
    (order,) = site.orders()
    by = r"a person, by stonith_admin\.\d+ on n2 \(user hacluster\)"
    assert re.fullmatch(by, order.by)
    assert (order.host, order.kind) == ("compute-1", CommandKind.CONFIRM_FENCED)


@pytest.fixture
def without_acl(site: Site) -> Iterator[str]:
    """On n2, Pacemaker's user may write by its group alone."""
    words = site.cluster.words("n2")
    acl = os.getxattr(words, ACL)
    site.cluster.run("n2", "usermod", "-aG", "nova-ha-word", "hacluster")
    assert "nova-ha-word" in site.cluster.run("n2", "id", "hacluster")
    os.removexattr(words, ACL)
    yield "n2"
    os.setxattr(words, ACL, acl)


def test_a_group_alone_does_not_let_it_write(site: Site, without_acl: str) -> None:
    """Pacemaker drops the groups; the other node's word is enough."""
    assert site.cluster.words(without_acl).stat().st_mode & 0o7777 == 0o1730
    site.cluster.cut("a1")
    denied = "the word cannot be given: .*: Permission denied"
    site.wait({"n1": TOLD, without_acl: denied})
    assert [order.host for order in site.orders()] == ["compute-1"]


def test_nothing_stays_after_kill_9(tmp_path: Path) -> None:
    """Neither a process nor, with that, a namespace: none has a name."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from tests.lib.pacemaker.cluster import ADDRESSES, Cluster\n"
        "cluster = Cluster(Path(sys.argv[1]))\n"
        "cluster.start()\n"
        "print(*(cluster.pid(name) for name in ADDRESSES), flush=True)\n"
        "time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            pids = process.stdout.readline().split()
            assert len(pids) == 4
            apart = {os.readlink(f"/proc/{pid}/ns/net") for pid in pids}
            assert _in(apart) >= {int(pid) for pid in pids}
        finally:
            process.kill()
    wait("its end", lambda: not _in(apart))
    wait("its end", lambda: not _named(str(tmp_path)))


def _in(networks: set[str]) -> set[int]:
    """The processes in these network namespaces."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            if os.readlink(path) in networks:
                found.add(int(path.parts[2]))
        except OSError:
            pass  # it has ended
    return found


def _named(words: str) -> list[bytes]:
    """The processes with these words in their command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words.encode() in (line := path.read_bytes()):
                found.append(line)
        except OSError:
            pass  # it has ended
    return found
