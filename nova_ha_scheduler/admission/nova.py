# SPDX-License-Identifier: Apache-2.0
"""Nova's objects in the words of the admission rule."""

from typing import Any

from nova_ha_scheduler.cluster.openstack.requirements import Requirements
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.admission import COUNTED, Amounts, Demand
from nova_ha_scheduler.rules.vocabulary import BadValue


def load(host_state: Any) -> Amounts:
    """What is on a nova.scheduler.host_manager.HostState, protected or not.

    It is what nova-compute counts (nova.compute.resource_tracker): by flavor, with
    what is kept for the host itself, and what the scheduler has just put there. Of the
    disk, by flavor, too: free_disk_mb goes by the real use of the pool, which on shared
    storage is that of all hosts.
    """
    return {
        "VCPU": host_state.vcpus_used,
        "MEMORY_MB": host_state.total_usable_ram_mb - host_state.free_ram_mb,
        "DISK_GB": -(-host_state.disk_mb_used // 1024),
    }


def extra_specs(spec: Any) -> dict[str, str]:
    """Of the flavor of a nova.objects.RequestSpec."""
    return _get(spec.flavor, "extra_specs") or {}


def demand(spec: Any, several: bool) -> Demand:
    """What the server of a nova.objects.RequestSpec takes.

    :param several: whether it may be one of many that are asked for together. Then
        all of them count for the disk: the scheduler does not count in a HostState
        what it gave to the first of them.
    """
    flavor, image = spec.flavor, _get(spec, "image")
    properties = _properties(image)
    required = Requirements(
        {
            "flavor": {
                "vcpus": flavor.vcpus,
                "ram": flavor.memory_mb,
                "disk": 0 if _get(spec, "is_bfv") else flavor.root_gb,
                "ephemeral": flavor.ephemeral_gb,
                "swap": flavor.swap,
                "extra_specs": extra_specs(spec),
            },
            "image": {"properties": properties},
        }
    )
    count = max(1, _get(spec, "num_instances") or 1) if several else 1
    needs = {what: required.resources.get(what, 0) for what in COUNTED}
    return Demand(
        needs | {"DISK_GB": needs["DISK_GB"] * count},
        required.traits | set(properties.get("traits_required") or ()),
        required.forbidden,
        _get(spec, "availability_zone"),
        _obstacle(spec, required, properties),
    )


def _obstacle(spec: Any, required: Requirements, properties: dict[str, Any]) -> str:
    """Why the rule would promise too much."""
    specs = extra_specs(spec)
    try:
        vocabulary.recovery_policy(specs, {}, False)
    except BadValue as error:
        return f"flavor {spec.flavor.name} has {error}"
    if specs.get("hw:tpm_version") or properties.get("hw_tpm_version"):
        return "Nova evacuates no server with a vTPM"
    if others := sorted(required.resources.keys() - set(COUNTED)):
        return f"how much {', '.join(others)} a host has to lose is not known"
    if any(key.startswith("resources") for key in specs):
        return "its flavor asks Placement for other amounts than nova-compute counts"
    if spec.flavor.swap % 1024:
        return "its swap is no whole number of GiB, which is counted in two ways"
    if _get(spec, "requested_resources") or _get(
        _get(spec, "pci_requests"), "requests"
    ):
        return "its ports or devices take resources that are not counted"
    if _get(spec, "numa_topology") is not None:
        return "whether its NUMA topology fits is not known"
    return _group(_get(spec, "instance_group"))


def _group(group: Any) -> str:
    policy = _get(group, "policy")
    if policy == "affinity":
        return "Nova evacuates no group with the hard policy affinity"
    if policy == "anti-affinity" and group.rules.get("max_server_per_host", 1) > 1:
        return "of its group, several servers may be on one host"
    return ""


def _properties(image: Any) -> dict[str, Any]:
    found = _get(image, "properties")
    if found is None:
        return {}
    return {name: getattr(found, name) for name in found.fields if name in found}


def _get(obj: Any, field: str) -> Any:
    """A field of a versioned object, None where there is none or it is not set."""
    return getattr(obj, field) if obj is not None and field in obj else None
