# SPDX-License-Identifier: Apache-2.0
"""Events, fences and the stages of recoveries are counted once each."""

from pathlib import Path

from nova_ha_scheduler.service.monitoring.counts import STAGES, Counts
from tests.lib.simulation.watched import Watched
from tests.unit.service.monitoring.conftest import CLUSTER, watched

SCENARIOS = Path(__file__).parents[3] / "scenarios"


def value(counts: Counts, name: str, **labels: str) -> float | None:
    return counts.registry.get_sample_value(name, labels)


def stage(counts: Counts, name: str, what: str = "sum") -> float | None:
    return value(counts, f"nova_ha_recovery_stage_seconds_{what}", stage=name)


def played(*lines: str, cluster: object = CLUSTER) -> Watched:
    script = Watched(cluster)  # type: ignore[arg-type]
    script.play(script.read("\n".join(lines)))
    return script


def test_a_recovery() -> None:
    counts = played("at 20 power off node1", "at 200 end").counts
    assert {stage(counts, name, "count") for name in STAGES} == {1}
    silent, fencing, first, last = (stage(counts, name) or 0 for name in STAGES)
    assert silent >= 60  # down_time
    assert fencing < 10
    assert 0 < first <= last
    assert value(counts, "nova_ha_fence_total", method="redfish", result="ok") == 1
    assert value(counts, "nova_ha_events_total", kind="host.recovered") == 1
    assert value(counts, "nova_ha_events_total", kind="server.recovered") == 3


def test_what_is_taken_up_later_is_no_stage() -> None:
    """A recovery that a person takes up after a day took no day."""
    folder = SCENARIOS / "people" / "retry-of-incomplete"
    script = Watched(folder)
    script.play(script.read((folder / "commands").read_text()))
    kinds = [event.kind.value for _, event in script.newest]
    assert {"host.incomplete", "host.recovered"} <= {*kinds}
    assert stage(script.counts, "fencing", "count") == 1


def test_a_device_that_does_not_obey() -> None:
    node1 = {"zone": "nfs-a", "device": "unreachable"}
    hosts = {"node1": node1, "node2..node4": {"zone": "nfs-a"}}
    cluster = {"hosts": hosts, "servers": CLUSTER["servers"]}
    counts = played("at 20 power off node1", "at 300 end", cluster=cluster).counts
    failed = value(counts, "nova_ha_fence_total", method="redfish", result="unknown")
    assert failed
    assert stage(counts, "silent", "count") == 1
    assert stage(counts, "fencing", "count") == 0


def test_it_begins_with_nought() -> None:
    """A rate can only be seen where there was a value before."""
    counts = watched().counts
    assert value(counts, "nova_ha_events_total", kind="guard.tripped") == 0
    assert value(counts, "nova_ha_fence_total", method="redfish", result="ok") == 0
    assert stage(counts, "last_server_up", "count") == 0


def test_nobody_is_told_when_it_was_made() -> None:
    """A series that nobody asked for, for each kind of event."""
    names = {s.name for f in Counts().registry.collect() for s in f.samples}
    assert not any(name.endswith("_created") for name in names)
