# SPDX-License-Identifier: Apache-2.0
"""Random clouds in a real Placement: hosts with devices below them, ratios, max_unit,
min_unit, step_size, traits, and a part of it used.
"""

import json
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import webob

from nova_ha_scheduler.cluster.errors import CloudUnreachable

FAST, OLD, LATE = "CUSTOM_FAST", "CUSTOM_OLD", "CUSTOM_LATE"
GPU, CARD = "CUSTOM_GPU", "CUSTOM_CARD"
ZONES = ("nfs-a", "nfs-b")


class Placement:
    """Its WSGI application, called without HTTP; also the Api of the project's own
    loaders.

    :ivar sent: how many requests these have sent.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self.sent = 0

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = webob.Request.blank(path, method=method)
        request.headers["X-Auth-Token"] = "admin"
        request.headers["OpenStack-API-Version"] = "placement 1.39"
        if body is not None:
            request.body = json.dumps(body).encode()
            request.content_type = "application/json"
        answer = request.get_response(self._application)
        if answer.status_code >= 400:
            raise CloudUnreachable(
                f"{method} {path}: {answer.text}", answer.status_code
            )
        return json.loads(answer.body) if answer.body else {}

    def get(
        self,
        service: str,
        path: str,
        microversion: str | None = None,
        params: Any = None,
    ) -> Any:
        from urllib.parse import urlencode

        assert service == "placement"
        self.sent += 1
        return self.call("GET", f"{path}?{urlencode(params or {}, doseq=True)}")


@dataclass
class RandomCloud:
    """
    :ivar nodes: the name of each host, by its compute node; host_of: by any provider.
    :ivar zones: the storage zone of each host; :ivar aggregates: their aggregates.
    """

    placement: Placement
    chance: random.Random
    nodes: dict[str, str] = field(default_factory=dict)
    host_of: dict[str, str] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)
    aggregates: dict[str, str] = field(default_factory=dict)
    _providers: dict[str, dict[str, Any]] = field(default_factory=dict)
    _generations: dict[str, int] = field(default_factory=dict)
    _consumers: list[str] = field(default_factory=list)

    def build(self) -> None:
        self.aggregates = {zone: self._uuid() for zone in ZONES}
        for number in range(self.chance.randint(2, 5)):
            self._host(f"host{number}", self.chance.choice(ZONES))
        for provider in list(self._providers):
            if self.chance.random() < 0.7:
                self._use(provider)

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def _host(self, name: str, zone: str) -> None:
        inventories = {
            "VCPU": self._inventory(4, 16),
            "MEMORY_MB": self._inventory(512, 4096),
            "DISK_GB": self._inventory(20, 100),
        }
        if self.chance.random() < 0.2:
            inventories[GPU] = self._inventory(1, 4)
        root = self._provider(name, inventories, None)
        self.nodes[root], self.zones[name] = name, zone
        self._set(root, "aggregates", [self.aggregates[zone]])
        parents = [root]
        for number in range(self.chance.choice((0, 0, 1, 2, 3))):
            more = {GPU: self._inventory(1, 4)}
            if self.chance.random() < 0.3:
                more[CARD] = self._inventory(1, 8)
            if self.chance.random() < 0.15:
                more["VCPU"] = self._inventory(2, 8)
            parent = self.chance.choice(parents)
            parents.append(self._provider(f"{name}-{number}", more, parent))

    def _inventory(self, least: int, most: int) -> dict[str, Any]:
        chance = self.chance
        total = chance.randint(least, most)
        step = chance.choice((1, 1, 1, 2))
        return {
            "total": total,
            "reserved": chance.choice((0, 0, min(1, total - 1))),
            "allocation_ratio": chance.choice((1.0, 1.0, 1.5, 2.0, 4.0)),
            "max_unit": chance.choice((total, total, max(step, total // 2))),
            "min_unit": chance.choice((1, 1, 1, 2)) if total > 1 else 1,
            "step_size": step if total > 1 else 1,
        }

    def _provider(
        self, name: str, inventories: dict[str, Any], parent: str | None
    ) -> str:
        call, found = self.placement.call, self._uuid()
        body = {"name": f"{name}-{found[:8]}", "uuid": found}
        if parent:
            body["parent_provider_uuid"] = parent
        call("POST", "/resource_providers", body)
        self._generations[found], self._providers[found] = 0, inventories
        self.host_of[found] = name.partition("-")[0]
        self._set(found, "inventories", inventories)
        if traits := [t for t in (FAST, OLD) if self.chance.random() < 0.4]:
            self._set(found, "traits", traits)
        return found

    def _set(self, provider: str, what: str, value: Any) -> None:
        key = "resource_provider_generation"
        body = {what: value, key: self._generations[provider]}
        path = f"/resource_providers/{provider}/{what}"
        self._generations[provider] = self.placement.call("PUT", path, body)[key]

    def _use(self, provider: str) -> None:
        for what, one in self._providers[provider].items():
            self._consume(provider, what, self.chance.randint(1, one["max_unit"]))

    def _consume(self, provider: str, what: str, amount: int) -> None:
        """As far as Placement allows it."""
        consumer = self._uuid()
        try:
            self.allocate(consumer, {provider: {"resources": {what: amount}}})
        except CloudUnreachable:
            return

    def allocate(self, consumer: str, allocations: Any) -> None:
        body = {
            "allocations": allocations,
            "project_id": "p",
            "user_id": "u",
            "consumer_generation": None,
            "consumer_type": "INSTANCE",
        }
        self.placement.call("PUT", f"/allocations/{consumer}", body)
        self._consumers.append(consumer)

    def remove(self) -> None:
        for consumer in self._consumers:
            self.placement.call("DELETE", f"/allocations/{consumer}")
        for provider in reversed(self._providers):
            self.placement.call("DELETE", f"/resource_providers/{provider}")

    # Flavors.

    def flavor(self) -> dict[str, Any]:
        chance, specs = self.chance, {"ha": "true"}
        if chance.random() < 0.4:
            specs[f"resources:{chance.choice((GPU, CARD))}"] = chance.choice("1122")
        for number in range(1, chance.choice((1, 1, 2, 3, 4))):
            specs[f"resources{number}:{GPU}"] = chance.choice("1112")
            if chance.random() < 0.3:
                specs[f"resources{number}:{CARD}"] = "1"
            if chance.random() < 0.3:
                word = chance.choice(("required", "forbidden"))
                specs[f"trait{number}:{chance.choice((FAST, OLD))}"] = word
        if chance.random() < 0.4:
            word = chance.choice(("required", "required", "forbidden"))
            specs[f"trait:{chance.choice((FAST, OLD))}"] = word
        # Where one class is asked for in a group and outside of all, Placement 16 adds
        # up wrongly under isolate (_consolidate_allocation_requests changes what other
        # candidates share): the same question has several answers, by the hash seed.
        named = [key.partition(":") for key in specs if key.startswith("resources")]
        outside = {what for group, _, what in named if group == "resources"}
        mixed = outside & {what for group, _, what in named if group != "resources"}
        policy = chance.choice(("none", "isolate"))
        specs["group_policy"] = "none" if mixed else policy
        return {
            "vcpus": chance.randint(1, 10),
            "ram": chance.choice((64, 128, 512, 2048)),
            "disk": chance.randint(0, 20),
            "ephemeral": 0,
            "swap": 0,
            "extra_specs": specs,
        }
