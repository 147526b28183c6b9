# SPDX-License-Identifier: Apache-2.0
"""What a server needs is what Nova itself would ask Placement for."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nova import exception, objects
from nova.scheduler import request_filter
from nova.scheduler.utils import ResourceRequest

from nova_ha_scheduler.cluster.openstack.requirements import Requirements

objects.register_all()

SPECS: dict[str, list[str]] = {
    "ha": ["true"],
    "resources:VCPU": ["0", "3", "many"],
    "resources:MEMORY_MB": ["0", "128"],
    "resources:DISK_GB": ["0", "7", "-1"],
    "resources:CUSTOM_FPGA": ["2"],
    "resources1:CUSTOM_FPGA": ["3"],
    "resources_NET:SRIOV_NET_VF": ["1"],
    "trait:CUSTOM_GOLD": ["required", "forbidden", "perhaps"],
    "trait1:CUSTOM_FAST": ["required", "forbidden"],
    "group_policy": ["isolate"],
    "hw:cpu_policy": ["dedicated", "mixed", "shared"],
    "hw:cpu_dedicated_mask": ["0", "^0", "1-2,^2"],
    "hw:cpu_realtime": ["true", "false"],
    "hw:cpu_realtime_mask": ["^0", "1"],
    "hw:cpu_thread_policy": ["isolate", "require", "prefer"],
    "hw:emulator_threads_policy": ["isolate", "share"],
    "hw:mem_encryption": ["true", "false"],
    "hw:mem_encryption_model": ["amd-sev", "amd-sev-es"],
    "hw:pmem": ["4GB,16GB", "4GB, 4GB"],
    "hw:tpm_version": ["1.2", "2.0"],
    "hw:tpm_model": ["tpm-tis", "tpm-crb"],
    "hw:maxphysaddr_mode": ["passthrough", "emulate"],
    "hw:pci_numa_affinity_policy": ["socket", "preferred"],
    "os:secure_boot": ["required", "optional"],
    "hw:virtio_packed_ring": ["true", "false"],
    "hw:sound_model": ["virtio", "ich9"],
    "hw:ephemeral_encryption": ["true", "false"],
    "hw:ephemeral_encryption_format": ["luks"],
    "hw:tpm_secret_security": ["host", "user", "deployment"],
}
PROPERTIES: dict[str, list[str]] = {
    "hw_cpu_policy": ["dedicated", "shared"],
    "hw_cpu_realtime_mask": ["^1"],
    "hw_cpu_thread_policy": ["require"],
    "hw_mem_encryption": ["True", "false"],
    "hw_firmware_type": ["uefi", "bios"],
    "hw_firmware_stateless": ["true", "false"],
    "hw_machine_type": ["q35"],
    "hw_tpm_version": ["2.0"],
    "os_secure_boot": ["required"],
    "hw_pci_numa_affinity_policy": ["socket"],
    "hw_virtio_packed_ring": ["true", "false"],
    "hw_sound_model": ["virtio"],
    "hw_ephemeral_encryption": ["true"],
}


def _some(words: dict[str, list[str]]) -> st.SearchStrategy[dict[str, str]]:
    keys = st.lists(st.sampled_from(sorted(words)), max_size=4, unique=True)
    return keys.flatmap(
        lambda found: st.fixed_dictionaries(
            {key: st.sampled_from(words[key]) for key in found}
        )
    )


FILTERS = (
    request_filter.packed_virtqueue_filter,
    request_filter.ephemeral_encryption_filter,
    request_filter.virtio_sound_filter,
    request_filter.tpm_secret_security_filter,
)


def _nova(server: dict[str, Any]) -> tuple[Any, ...]:
    """Its request: all amounts; the traits of what is in no group; the groups."""
    flavor, image = server["flavor"], server["image"] or {}
    spec = objects.RequestSpec(
        flavor=objects.Flavor(
            name="f",
            vcpus=flavor["vcpus"],
            memory_mb=flavor["ram"],
            root_gb=flavor["disk"],
            ephemeral_gb=flavor["ephemeral"],
            swap=flavor["swap"],
            extra_specs=flavor["extra_specs"],
        ),
        image=objects.ImageMeta.from_dict(
            {"id": "i", "name": "i", "properties": {**image.get("properties", {})}}
        ),
        is_bfv=not server["image"],
        requested_resources=[],
        request_level_params=objects.RequestLevelParams(),
    )
    for narrow in FILTERS:
        narrow(None, spec)
    asked = ResourceRequest.from_request_spec(spec)
    first = asked._rg_by_id.get(None, objects.RequestGroup())
    required = first.required_traits | asked._root_required
    if "hw:tpm_secret_security" not in flavor["extra_specs"]:
        required -= {"COMPUTE_SECURITY_TPM_SECRET_SECURITY_USER"}  # Nova's default
    groups = {
        (
            frozenset(group.resources.items()),
            frozenset(group.required_traits),
            frozenset(group.forbidden_traits),
        )
        for suffix, group in asked._rg_by_id.items()
        if suffix is not None and group.resources
    }
    isolated = asked.group_policy == "isolate"
    return asked.merged_resources(), required, first.forbidden_traits, groups, isolated


@settings(max_examples=400, deadline=None)
@given(
    _some(SPECS),
    _some(PROPERTIES),
    st.tuples(*[st.integers(0, 3000)] * 4),
    st.integers(3, 8),
    st.booleans(),
)
def test_as_nova_asks_placement(specs, properties, sizes, vcpus, on_volume):
    ram, disk, ephemeral, swap = sizes
    flavor = {
        "vcpus": vcpus,
        "ram": ram,
        "disk": disk,
        "ephemeral": ephemeral,
        "swap": swap,
        "extra_specs": specs,
    }
    image = "" if on_volume else {"id": "i", "properties": properties}
    server = {"flavor": flavor, "image": image}
    try:
        expected = _nova(server)
    except (exception.NovaException, ValueError):
        return  # Nova boots no such server
    found = Requirements(server)
    groups = {
        (frozenset(one.needs.items()), one.traits, one.forbidden_traits)
        for one in found.portions
    }
    told = found.resources, found.traits, found.forbidden, groups, found.isolated
    assert told == expected


@pytest.mark.parametrize(
    ("mask", "cpus"), [("0-3,^2", 3), ("^0", 3), ("1, 2", 2), ("all", None)]
)
def test_masks(mask, cpus):
    specs = {"hw:cpu_policy": "mixed", "hw:cpu_dedicated_mask": mask}
    flavor = {"vcpus": 4, "ram": 64, "disk": 0, "ephemeral": 0, "swap": 0}
    found = Requirements({"flavor": {**flavor, "extra_specs": specs}, "image": ""})
    assert found.resources.get("PCPU") == cpus
