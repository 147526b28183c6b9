# SPDX-License-Identifier: Apache-2.0
"""What the observer remembers from one picture to the next."""

from collections.abc import Iterator
from typing import Any

from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster.openstack.observer import Observer
from nova_ha_scheduler.cluster.picture import Scope


class Cloud:
    """One host's answers: the Api as the observer knows it."""

    def __init__(self) -> None:
        self.service, self.node, self.starts = "service-1", "node-1", False

    def get(
        self, kind: str, path: str, version: str | None = None, params: Any = None
    ) -> dict[str, Any]:
        resources = {"MEMORY_MB": {"capacity": 4096, "used": 0}}
        room = {
            "root_provider_uuid": self.node,
            "traits": [],
            "resources": resources,
        }
        service = {
            "id": self.service,
            "host": "c1",
            "zone": "nova",
            "status": "enabled",
            "state": "up",
            "updated_at": "2026-01-01T00:00:00",
            "forced_down": False,
            "disabled_reason": None,
        }
        return {
            "/os-services": {"services": [service]},
            "/os-aggregates": {"aggregates": []},
            "/allocation_candidates": {"provider_summaries": {self.node: room}},
        }[path]

    def pages(self, *_: Any, **__: Any) -> Iterator[dict[str, Any]]:
        if not self.starts:
            yield {"id": self.node, "service": {"host": "c1"}}


def test_a_host_that_was_installed_anew_is_not_full() -> None:
    """Its service was deleted and made again, while nobody looked for room."""
    cloud: Any = Cloud()
    observer, scope = Observer(cloud, SystemClock()), Scope(destinations=True)
    assert observer.observe(scope).hosts["c1"].free == {"MEMORY_MB": 4096}
    cloud.service, cloud.node = "service-2", "node-2"
    assert observer.observe(scope).hosts["c1"].free == {"MEMORY_MB": 4096}


def test_a_host_that_was_seen_while_it_started_is_not_unknown_for_ever() -> None:
    """nova-compute makes its service first, then its node."""
    cloud: Any = Cloud()
    cloud.starts = True
    observer, scope = Observer(cloud, SystemClock()), Scope(destinations=True)
    assert observer.observe(scope).hosts["c1"].free is None
    cloud.starts = False
    assert observer.observe(scope).hosts["c1"].free == {"MEMORY_MB": 4096}
