# SPDX-License-Identifier: Apache-2.0
"""The text for Prometheus says what is so, and nothing of what is gone."""

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from nova_ha_scheduler.health.problems import Kind
from nova_ha_scheduler.service.capacity_figures import (
    CapacityFigures,
    ZoneFigures,
)
from nova_ha_scheduler.service.monitoring.counts import Counts
from nova_ha_scheduler.service.monitoring.metrics import HELPS, Text
from nova_ha_scheduler.service.monitoring.trigger_facts import (
    AdmissionAge,
    TriggerFacts,
)
from tests.unit.service.monitoring.conftest import watched

NAMED = {
    "nova_ha_active": "gauge",
    "nova_ha_last_look_timestamp_seconds": "gauge",
    "nova_ha_trouble": "gauge",
    "nova_ha_hosts": "gauge",
    "nova_ha_servers": "gauge",
    "nova_ha_events": "counter",
    "nova_ha_fence": "counter",
    "nova_ha_fence_device_up": "gauge",
    "nova_ha_guard_tripped": "gauge",
    "nova_ha_pauses": "gauge",
    "nova_ha_zone_failures_tolerated": "gauge",
    "nova_ha_zone_reserve_hosts": "gauge",
    "nova_ha_recovery_stage_seconds": "histogram",
    "nova_ha_outbox_pending": "gauge",
}
"""What others build on, with its type."""

Samples = dict[tuple[str, str], float]


def told(facts: TriggerFacts, text: Text | None = None) -> Samples:
    """Each sample by its name and its labels' values."""
    found = (text or Text()).of(facts, Counts()).decode()
    return {
        (s.name, ",".join(v for _, v in sorted(s.labels.items()))): s.value
        for family in parsed(found)
        for s in family.samples
    }


def test_each_has_its_type_and_a_help(facts: TriggerFacts) -> None:
    families = {f.name: f for f in parsed(Text().of(facts, Counts()).decode())}
    assert {name: families[name].type for name in NAMED} == NAMED
    assert families.keys() == {*HELPS, *NAMED}
    assert all(len(f.documentation) > 20 for f in families.values())


def test_no_server_is_a_label(facts: TriggerFacts) -> None:
    script = watched()
    script.play(script.read("at 20 power off node1\nat 200 end"))
    assert script.facts is not None
    text = script.metrics()
    assert 'nova_ha_servers{state="recovered"} 3.0' in text
    assert "vm1" not in text
    assert "uuid" not in text
    labels = {label for _, names in HELPS.values() for label in names}
    assert labels == {"kind", "host", "receiver", "state", "zone"}


def test_each_kind_of_trouble_is_there_before_it_is(facts: TriggerFacts) -> None:
    """Else a rule over it could not tell 0 from not known."""
    found = told(facts)
    assert {k for n, k in found if n == "nova_ha_trouble"} == {k.word for k in Kind}
    assert found["nova_ha_trouble", "guard"] == 0


def test_a_host_that_is_gone_is_gone() -> None:
    script, text = watched(), Text()
    facts = script.facts
    assert facts is not None
    assert told(facts, text)["nova_ha_fence_device_up", "node2"] == 1
    del script.world.machines["node2"]
    script.until(30)
    facts = script.facts
    assert facts is not None
    assert ("nova_ha_fence_device_up", "node2") not in told(facts, text)
    assert told(facts, text)["nova_ha_fence_device_up", "node3"] == 1


def test_a_device_that_does_not_serve() -> None:
    cluster = {"hosts": {"node1..node3": {"zone": "nfs-a"}}}
    script = type(watched())({**cluster, "options": {"device_check_interval": 20}})
    script.play(script.read("at 5 device node2 unreachable\nat 60 end"))
    assert script.facts is not None
    found = told(script.facts)
    assert found["nova_ha_fence_device_up", "node2"] == 0
    assert found["nova_ha_fence_device_up", "node1"] == 1
    assert found["nova_ha_host_trouble", "node2,device_broken"] == 1
    script.play(script.read("at 61 device node2 works\nat 120 end"))
    assert told(script.facts)["nova_ha_fence_device_up", "node2"] == 1


def test_names_are_escaped(facts: TriggerFacts) -> None:
    strange = 'a"b\\c\nd'
    figures = CapacityFigures(1.0, (ZoneFigures(strange, 2, 1),))
    found = told(replace(facts, capacity=figures, devices={strange: True}))
    assert found["nova_ha_zone_failures_tolerated", strange] == 1
    assert found["nova_ha_fence_device_up", strange] == 1


def test_what_is_not_known_is_not_there(facts: TriggerFacts) -> None:
    """A 0 would be an alarm, or would hide one."""
    found = told(replace(facts, active=False, report=None))
    names = {name for name, _ in found}
    assert "nova_ha_zone_failures_tolerated" not in names
    assert "nova_ha_last_look_timestamp_seconds" not in names
    assert "nova_ha_admission_timestamp_seconds" not in names
    assert found["nova_ha_active", ""] == 0
    known = told(replace(facts, admission=AdmissionAge(5.0, 900.0)))
    assert known["nova_ha_admission_timestamp_seconds", ""] == 5
    assert known["nova_ha_admission_max_age_seconds", ""] == 900


@pytest.mark.parametrize(("state", "hosts"), [("free", 1), ("in_use", 0)])
def test_the_reserve(state: str, hosts: int) -> None:
    script = watched()
    script.work_out()
    assert script.facts is not None
    found = told(script.facts)
    assert found["nova_ha_zone_reserve_hosts", f"{state},nfs-a"] == hosts
    assert found["nova_ha_zone_failures_tolerated", "nfs-a"] >= 1


def test_a_family_is_written_when_it_changes(facts: TriggerFacts) -> None:
    """Ten thousand devices cost nothing while none of them changes."""
    text, written = Text(), []
    part = text._part

    def counted(name: str, values: object) -> bytes:
        before = text._written.get(name)
        found = part(name, values)  # type: ignore[arg-type]
        if text._written[name] is not before:
            written.append(name)
        return found

    text._part = counted  # type: ignore[method-assign]
    text.of(facts, Counts())
    written.clear()
    text.of(replace(facts, active=False, devices={**facts.devices}), Counts())
    assert "nova_ha_active" in written
    assert "nova_ha_fence_device_up" not in written
