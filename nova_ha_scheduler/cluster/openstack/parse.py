# SPDX-License-Identifier: Apache-2.0
"""From the services' JSON to the engine's records. Pure."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nova_ha_scheduler import host_facts
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.model import Host, Migration, Server
from nova_ha_scheduler.cluster.openstack.requirements import Requirements
from nova_ha_scheduler.rules.model import HostFacts

Json = Mapping[str, Any]

_RUNNING = 1
"""nova.compute.power_state.RUNNING"""

_MAX_FAILURE = 200
"""Characters of what Nova says of a failure."""

_YES = ("true", "yes", "on", "1", "t", "y")

ACCELERATED = ("accelerator-direct", "accelerator-direct-physical")
"""Types of ports (binding:vnic_type) that are accelerators."""


def timestamp(text: str | None) -> float | None:
    """Seconds since the epoch; OpenStack's times are UTC, said or not."""
    if not text:
        return None
    said = datetime.datetime.fromisoformat(text)
    return said.replace(tzinfo=datetime.UTC).timestamp()


def isotime(seconds: float) -> str:
    utc = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def facts(aggregates: Iterable[Json]) -> dict[str, HostFacts]:
    """What the aggregates say, by host."""
    metadata: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for aggregate in aggregates:
        host_facts.of_aggregate(aggregate["name"], aggregate["metadata"])
        for host in aggregate["hosts"]:
            metadata[host].append(aggregate["metadata"])
    return {host: HostFacts.of(found) for host, found in metadata.items()}


def host(service: Json, facts_by_host: Mapping[str, HostFacts], now: float) -> Host:
    """A nova-compute service.

    :raises CloudUnreachable: its cell does not answer (Nova then shows a stub of it).
    """
    if service["status"] == "UNKNOWN":
        raise CloudUnreachable(f"the cell of {service['host']} does not answer")
    up = service["state"] == "up"
    # Until the first heartbeat Nova goes by the record's creation, not shown here.
    updated_at = timestamp(service["updated_at"]) or (now if up else 0.0)
    return Host(
        name=service["host"],
        facts=facts_by_host.get(service["host"], HostFacts()),
        up=up,
        forced_down=service["forced_down"],
        disabled=service["status"] == "disabled",
        disabled_reason=service["disabled_reason"] or "",
        updated_at=updated_at,
        availability_zone=service["zone"],
    )


def migration(record: Json) -> Migration:
    return Migration(
        id=record["id"],
        server=record["instance_uuid"],
        source=record["source_compute"],
        destination=record["dest_compute"],
        status=record["status"],
        kind=record["migration_type"],
    )


def server(found: Json) -> Server:
    flavor, required = found["flavor"], Requirements(found)
    return Server(
        uuid=found["id"],
        name=found["name"],
        host=found["OS-EXT-SRV-ATTR:host"] or "",
        vm_state=found["OS-EXT-STS:vm_state"],
        task_state=found["OS-EXT-STS:task_state"],
        running=found["OS-EXT-STS:power_state"] == _RUNNING,
        locked=found["locked"],
        extra_specs=flavor["extra_specs"],
        metadata=found["metadata"],
        local_disk=bool(found["image"] or flavor["ephemeral"] or flavor["swap"]),
        needs=required.resources,
        refused_by_nova=_tpm(found),
        refused_live=_bound_to_its_host(found),
        refused_cold=_accelerator(found),
        traits=required.traits,
        forbidden_traits=required.forbidden,
        availability_zone=found.get("pinned_availability_zone"),
    )


def failure(events: Iterable[Json]) -> str:
    """What an instance action's events say of why it failed: the first that did, for
    the others have only passed it on. Administrators see it from 2.84 on."""
    failed = [e for e in events if e["result"] == "Error" and e.get("details")]
    failed.sort(key=lambda event: event["finish_time"] or "")
    words = " ".join(failed[0]["details"].split()) if failed else ""
    cut = len(words) > _MAX_FAILURE
    return f"{words[:_MAX_FAILURE]}..." if cut else words.rstrip(".")


def image_traits(image: Json) -> frozenset[str]:
    """What an image of Glance's requires of a host."""
    named = (key.partition(":") for key, said in image.items() if said == "required")
    return frozenset(trait for kind, _, trait in named if kind == "trait")


def _tpm(found: Json) -> str:
    """nova.virt.hardware.get_vtpm_constraint goes by these two."""
    image = found["image"] or {}
    asked = found["flavor"]["extra_specs"].get("hw:tpm_version")
    asked = asked or (image.get("properties") or {}).get("hw_tpm_version")
    return f"it has a vTPM ({asked})" if asked else ""


def _bound_to_its_host(found: Json) -> str:
    """Why it cannot be moved while it runs; see nova.compute.api.API.live_migrate."""
    specs, image = found["flavor"]["extra_specs"], found["image"] or {}
    properties = image.get("properties") or {}
    encrypted = (specs.get("hw:mem_encryption"), properties.get("hw_mem_encryption"))
    if any(str(asked).lower() in _YES for asked in encrypted):
        return "its memory is encrypted"
    follows = specs.get("hw:tpm_secret_security") == "host"
    return _accelerator(found) or ("" if follows else _tpm(found))


def _accelerator(found: Json) -> str:
    profile = found["flavor"]["extra_specs"].get("accel:device_profile")
    return f"it has an accelerator ({profile})" if profile else ""


def accelerated(ports: Iterable[Json]) -> dict[str, str]:
    """By server, a sentence on its port with an accelerator."""
    return {
        port["device_id"]: f"port {port['id']} has an accelerator"
        for port in ports
        if port.get("binding:vnic_type") in ACCELERATED
    }


def group(found: Json) -> tuple[bool, frozenset[str]] | None:
    """Whether a hard policy keeps the members apart, and who they are.

    Of a group that allows several on a host, Nova's filter is the judge.
    """
    several = (found.get("rules") or {}).get("max_server_per_host", 1) > 1
    if found["policy"] not in ("affinity", "anti-affinity") or several:
        return None
    return found["policy"] == "anti-affinity", frozenset(found["members"])


@dataclass(frozen=True)
class Room:
    """What Placement says of a compute node, nested providers counted in.

    :ivar free: what it would still give; capacity: what it would if it were empty.
    """

    free: Mapping[str, int]
    capacity: Mapping[str, int] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()


FULL = Room({"MEMORY_MB": 0})
"""One that no summary shows."""


def rooms(summaries: Mapping[str, Json]) -> dict[str, Room]:
    """By compute node."""
    free: dict[str, Counter[str]] = defaultdict(Counter)
    capacity: dict[str, Counter[str]] = defaultdict(Counter)
    traits: dict[str, set[str]] = defaultdict(set)
    for summary in summaries.values():
        node = summary["root_provider_uuid"]
        traits[node].update(summary["traits"])
        for name, amount in summary["resources"].items():
            free[node][name] += amount["capacity"] - amount["used"]
            capacity[node][name] += amount["capacity"]
    return {
        node: Room(dict(found), dict(capacity[node]), frozenset(traits[node]))
        for node, found in free.items()
    }


def bad_port(port: Json, host: str, running: bool) -> str | None:
    """A sentence on a port that is not bound as it should be."""
    bound_to = port.get("binding:host_id")
    if bound_to != host:
        return f"port {port['id']} is bound to {bound_to or 'no host'}"
    if port.get("binding:vif_type") in ("unbound", "binding_failed"):
        return f"port {port['id']} is {port['binding:vif_type']}"
    normal = port.get("binding:vnic_type") == "normal" and port.get("admin_state_up")
    if running and normal and port.get("status") == "DOWN":
        return f"port {port['id']} is down"
    return None


def bad_volume(volume: Json | None, uuid: str, server_id: str) -> str | None:
    """A sentence on a volume that is not attached as it should be."""
    if volume is None:
        return f"volume {uuid} does not exist"
    if volume["status"] != "in-use":
        return f"volume {uuid} is {volume['status']}"
    if all(a["server_id"] != server_id for a in volume["attachments"]):
        return f"volume {uuid} is not attached to it"
    return None
