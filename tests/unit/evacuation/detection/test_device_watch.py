# SPDX-License-Identifier: Apache-2.0
"""What the trigger knows of fence devices now, for its report."""

from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario

CHECKED = 60


class Watched:
    """Three hosts; ``events`` are what was told of their devices and methods."""

    def __init__(self, interval: float = CHECKED) -> None:
        options = {"device_check_interval": interval}
        cluster = {"hosts": {"node1..node3": {"zone": "nfs-a"}}, "options": options}
        self.simulation: Simulation = scenario.build(cluster, [])
        assert self.simulation.engine is not None
        self.watch = self.simulation.engine.devices

    @property
    def events(self) -> list[tuple[EventKind, str]]:
        told = self.simulation.journal.events
        return [(event.kind, event.host) for event in told]

    def run(self, seconds: int = 2 * CHECKED) -> None:
        for _ in range(seconds):
            self.simulation.tick()

    def device(self, host: str, state: str) -> None:
        """What the device is: works, unreachable, or none."""
        self.simulation.world.machines[host].device = state

    def untag(self, host: str) -> None:
        self.simulation.world.machines[host].aggregates = [{}]


def test_a_host_without_a_method_is_told_once_and_never_asked() -> None:
    site = Watched()
    site.device("node2", "none")
    site.run()
    assert site.events == [(EventKind.METHOD_MISSING, "node2")]
    assert list(site.watch.unfenceable) == ["node2"]
    assert site.watch.broken == {}
    site.device("node2", "works")
    site.run()
    assert site.events[1:] == [(EventKind.METHOD_FOUND, "node2")]
    assert site.watch.unfenceable == {}


def test_a_key_that_may_be_misspelt_is_known_until_it_is_put_right() -> None:
    site = Watched()
    site.simulation.world.machines["node2"].aggregates = [{"ha:maintenence": "true"}]
    site.run()
    found = site.watch.misspelt
    words = "'ha:maintenence' counts for nothing; ha:maintenance may be meant"
    assert {host: told for host, (_, told) in found.items()} == {"node2": words}
    site.run()
    assert site.watch.misspelt == found
    site.untag("node2")
    site.run()
    assert site.watch.misspelt == {}


def test_methods_are_watched_where_devices_are_not_asked() -> None:
    site = Watched(0)
    for number in (1, 2, 3):
        site.device(f"node{number}", "none")
    site.run(3)
    assert len(site.events) == 3
    assert site.watch.protected == 3


def test_one_that_was_broken_before_it_lost_its_method() -> None:
    site = Watched()
    site.device("node1", "unreachable")
    site.run()
    assert list(site.watch.broken) == ["node1"]
    site.device("node1", "none")
    site.run(20)
    assert list(site.watch.unfenceable) == ["node1"]
    assert site.watch.broken == {}
    site.device("node1", "works")
    site.run(20)
    assert site.watch.broken == {}


def test_who_is_left_alone_is_counted() -> None:
    site = Watched()
    site.simulation.world.machines["node1"].flagged = True
    site.run(20)
    assert (site.watch.protected, site.watch.aside) == (2, 1)


def test_what_is_not_protected_any_more_is_not_broken() -> None:
    site = Watched()
    site.device("node1", "unreachable")
    site.run()
    assert list(site.watch.broken) == ["node1"]
    site.untag("node1")
    site.run(20)
    assert site.watch.broken == {}
    assert site.watch.protected == 2


def test_one_that_the_trigger_leaves_disabled_is_known() -> None:
    """Until somebody enables it."""
    site = Watched()
    world = site.simulation.world
    world.disable("node1", "nova-ha: it has died again")
    site.run(20)
    (told,) = site.watch.shut_out.items()
    assert (told[0], told[1][1]) == ("node1", "nova-ha: it has died again")
    world.enable("node1")
    site.run(20)
    assert site.watch.shut_out == {}


def test_a_power_cycle_is_no_lie() -> None:
    """Its device has said off, and it is heard of again: that was true."""
    site = Watched(20)
    machine = site.simulation.world.machines["node1"]
    site.run(60)
    machine.device = "lies"  # for one check
    site.run(20)
    machine.device = "works"
    site.run(120)
    assert site.events == []
    assert site.watch.broken == {}


def test_a_device_that_lies_is_none_until_it_says_on() -> None:
    site = Watched(20)
    site.device("node1", "lies")
    site.run(120)
    assert site.events == [(EventKind.DEVICE_BROKEN, "node1")]
    assert "whose power" in site.watch.broken["node1"][1]
    assert site.watch.unfenceable == {}
    site.device("node1", "works")
    site.run(60)
    assert site.events[1:] == [(EventKind.DEVICE_WORKS, "node1")]
    assert site.watch.broken == {}
