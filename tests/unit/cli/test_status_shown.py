# SPDX-License-Identifier: Apache-2.0
"""docs/operate.md shows what ``nova-ha status`` prints in the middle of a recovery.

With RECORD=1 in the environment the page is written instead of compared.
"""

import os
import re
import time
from functools import partial
from pathlib import Path

import pytest

from nova_ha_scheduler.cli import reserve_use
from nova_ha_scheduler.cluster.picture import Picture, Scope
from nova_ha_scheduler.health.troubles import Troubles
from nova_ha_scheduler.simulation.runner import Simulation
from nova_ha_scheduler.simulation.world import SimulatedWorld
from tests.lib.simulation.watched import writer
from tests.unit.cli.conftest import Site, Zone, active

PAGE = Path(__file__).parents[3] / "docs" / "operate.md"
SHOWN = re.compile(r"(?<=^```console\n\$ nova-ha status\n).*?(?=^```$)", re.S | re.M)

CLUSTER = {
    "hosts": {
        "compute1..compute2": {"zone": "nfs-a", "room": 4},
        "spare1": {"zone": "nfs-a", "reserved": True, "room": 3},
        "compute4..compute6": {"zone": "nfs-b", "room": 4},
    },
    "servers": {
        "db1..db6": {"host": "compute1"},
        "web1..web3": {"host": "compute2"},
        "shop1..shop3": {"host": "compute4"},
    },
    "options": {"max_in_flight": 2},
    "nova": {"rebuild": 8},
}

NIGHT = 1_772_334_432.0
"""2026-03-01 03:07:12 UTC."""

DIED, LOOKED = 20, 100
"""Seconds: compute1 loses its power, and a person looks."""


class Look:
    """What status asks the cloud: the simulated one."""

    def __init__(self, world: SimulatedWorld, _conf: object) -> None:
        self._world = world

    def hosts(self) -> Picture:
        return self._world.observe(Scope(destinations=True))

    def servers_on(self, hosts: frozenset[str]) -> Picture:
        return self._world.observe(Scope(hosts=hosts))


def _report(site: Site, simulation: Simulation) -> None:
    """What the trigger writes into its journal once a second."""
    reports = writer(simulation, site.journal, Troubles())
    reports.stepped()
    assert simulation.engine is not None
    found = reports.report(simulation.engine, simulation.clock.now())
    site.journal.put_report(found, alive=True)


def test_the_page_shows_what_it_prints(
    site: Site, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone("UTC")
    passed = 0
    monkeypatch.setattr(time, "time", lambda: NIGHT + passed)
    site.journal.owner = "controller1:2061:5f3a9c1e"
    simulation = active(site, CLUSTER)
    monkeypatch.setattr(reserve_use, "QuickLook", partial(Look, simulation.world))
    for passed in range(1, LOOKED):
        if passed == DIED:
            simulation.world.cut("compute1")
        simulation.tick()
    _report(site, simulation)
    printed = site.run("status").out
    page = PAGE.read_text()
    if os.environ.get("RECORD"):
        PAGE.write_text(SHOWN.sub(lambda _: printed, page))
    (shown,) = SHOWN.findall(page)
    assert shown == printed
