# SPDX-License-Identifier: Apache-2.0
"""What the observer remembers from one picture to the next."""

from typing import Any

from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster.openstack.observer import Observer
from nova_ha_scheduler.cluster.picture import Scope
from tests.lib import answers

C1 = Scope(hosts=frozenset({"c1"}), destinations=True)


def test_a_host_that_was_installed_anew_is_not_full() -> None:
    """Its service was deleted and made again, while nobody looked for room."""
    cloud: Any = answers.Api()
    observer = Observer(cloud, SystemClock())
    assert observer.observe(C1).hosts["c2"].free == {"MEMORY_MB": 63, "VCPU": 63}
    cloud.bodies["/os-services"]["services"][1]["id"] = "service-anew"
    cloud.bodies["/os-hypervisors/detail"]["hypervisors"][1]["id"] = "node-4"
    found = cloud.bodies["/allocation_candidates"]["provider_summaries"]
    found["node-4"] = {**found.pop("node-2"), "root_provider_uuid": "node-4"}
    assert observer.observe(C1).hosts["c2"].free == {"MEMORY_MB": 63, "VCPU": 63}


def test_a_host_that_was_seen_while_it_started_is_not_unknown_for_ever() -> None:
    """nova-compute makes its service first, then its node."""
    cloud: Any = answers.Api()
    late = cloud.bodies["/os-hypervisors/detail"]["hypervisors"].pop(1)
    observer = Observer(cloud, SystemClock())
    assert observer.observe(C1).hosts["c2"].free is None
    cloud.bodies["/os-hypervisors/detail"]["hypervisors"].append(late)
    assert observer.observe(C1).hosts["c2"].free == {"MEMORY_MB": 63, "VCPU": 63}
