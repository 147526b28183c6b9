# SPDX-License-Identifier: Apache-2.0
"""The filter: each row of the table, each mode, and what the log says."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nova import objects

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.filters.ha_admission_filter import HAAdmissionFilter
from nova_ha_scheduler.operation import Scheduling, remember
from nova_ha_scheduler.rules.terms import Operation, Request
from tests.unit.admission.site import (
    PET,
    Site,
    facts,
    flavor,
    host,
    properties,
    resizing,
    room,
    spare,
    spec,
)

Make = Callable[..., list[Any]]


@pytest.fixture
def admit(
    options: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Callable[..., str]:
    """Ask the filter about a cloud; return who passes, and what the log says."""

    def ask(site: Site, request: Any, publish: bool = True, **values: Any) -> str:
        caplog.set_level(logging.INFO)
        if publish:
            site.publish(tmp_path / "admission.json", time.time())
        filters = options(**values)
        (one,) = (f for f in filters if isinstance(f, HAAdmissionFilter))
        passed = one.filter_all(site.states(), request)
        return " ".join(state.host for state in passed) + "|" + caplog.text

    return ask


def cloud(*hosts: Host) -> Site:
    return Site({h.name: h for h in hosts})


NODE, SPARE = host("node", room(8, 8192)), spare("spare", room(4, 4096))


def load(site: Site, on: str, vcpus: int, ram: int, disk: int = 0) -> Site:
    needs = room(vcpus, ram, disk)
    site.put(Server(f"on-{on}", f"on-{on}", on, extra_specs=PET, needs=needs), None)
    return site


def test_the_last_that_fits_and_one_more(admit: Callable[..., str]) -> None:
    site = load(cloud(NODE, SPARE), "node", 2, 2048)
    assert admit(site, spec(flavor(2, 2048))).startswith("node|")
    found = admit(site, spec(flavor(3, 2048)))
    assert found.startswith("|")
    assert (
        "room on 1 reserve host required, should the host die: 1 host in nfs-a, where "
        "0 of 1 have it (too little VCPU)"
    ) in found
    assert "a host outside the reserve required: 1 host reserved for failover" in found


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ([host("node", room(8, 8192))], "in nfs-a, where 0 of 0 have it"),
        (
            [NODE, spare("spare", room(4, 4096), up=False)],
            "where 0 of 0 have it (not spare: down)",
        ),
        (
            [NODE, spare("spare", room(4, 4096), disabled=True)],
            "(not spare: disabled)",
        ),
        (
            [NODE, spare("spare", room(4, 4096), maintenance="true")],
            "(not spare: under maintenance)",
        ),
        (
            [host("node", room(8, 8192), facts=facts(ha="true")), SPARE],
            "a host in one storage zone required: 1 host in no zone",
        ),
        (
            [host("node", room(8, 8192), facts=facts(zone="nfs-a")), SPARE],
            "a host with ha=true required: 1 host in no aggregate with ha=true",
        ),
        (
            [NODE, spare("spare", room(4, 512))],
            "where 0 of 1 have it (too little MEMORY_MB)",
        ),
        (
            [NODE, spare("spare", {"VCPU": 4, "MEMORY_MB": 4096})],
            "where 0 of 1 have it (too little DISK_GB)",
        ),
    ],
)
def test_hosts_that_are_refused(
    admit: Callable[..., str], hosts: list[Host], words: str
) -> None:
    found = admit(cloud(*hosts), spec(flavor()))
    assert found.startswith("|")
    assert words in found


def test_a_reserve_host_in_use(admit: Callable[..., str]) -> None:
    site = load(cloud(NODE, SPARE), "spare", 1, 1024)
    assert "(not spare: in use)" in admit(site, spec(flavor()))


def test_a_dead_host_will_take_one_of_the_reserve(admit: Callable[..., str]) -> None:
    dead = host("gone", room(8, 8192), up=False)
    site = load(cloud(NODE, SPARE, dead), "gone", 1, 1024)
    # To the dead one, its own death is no further one; Nova keeps boots off it.
    assert admit(site, spec(flavor())).startswith("gone|")
    site.hosts["spare2"] = spare("spare2", room(4, 4096))
    assert admit(site, spec(flavor())).startswith("gone node|")


def group(policy: str, **rules: str) -> Any:
    return objects.InstanceGroup(policy=policy, rules=rules)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (spec(flavor(), instance_group=group("affinity")), "hard policy affinity"),
        (
            spec(
                flavor(),
                instance_group=group("anti-affinity", max_server_per_host="2"),
            ),
            "of its group, several servers may be on one host",
        ),
        (
            spec(flavor(extra_specs=PET | {"hw:tpm_version": "2.0"})),
            "Nova evacuates no server with a vTPM",
        ),
        (
            spec(flavor(), image=properties(hw_tpm_version="2.0")),
            "Nova evacuates no server with a vTPM",
        ),
        (
            spec(flavor(extra_specs=PET | {"resources:VGPU": "1"})),
            "how much VGPU a host has to lose is not known",
        ),
        (
            spec(flavor(extra_specs=PET | {"hw:cpu_policy": "dedicated"})),
            "how much PCPU a host has to lose",
        ),
        (
            spec(flavor(extra_specs=PET | {"resources:VCPU": "0"})),
            "other amounts than nova-compute counts",
        ),
        (spec(flavor(swap=64)), "its swap is no whole number of GiB"),
        (
            spec(
                flavor(),
                pci_requests=objects.InstancePCIRequests(
                    requests=[objects.InstancePCIRequest(count=1)]
                ),
            ),
            "its ports or devices take resources",
        ),
        (
            spec(flavor(), numa_topology=objects.InstanceNUMATopology(cells=[])),
            "whether its NUMA topology fits",
        ),
        (
            spec(flavor(extra_specs=PET | {"ha:recovery": "nome"})),
            "flavor flavor has ha:recovery='nome' is not one of",
        ),
        (
            spec(flavor(extra_specs={"ha": "ja"})),
            "a readable flavor required",
        ),
        (
            spec(flavor(extra_specs=PET | {"trait:CUSTOM_FAST": "required"})),
            "a reserve with trait CUSTOM_FAST required: 1 host in nfs-a",
        ),
        (
            spec(flavor(), image=properties(traits_required=["CUSTOM_GOLD"])),
            "a reserve with trait CUSTOM_GOLD required",
        ),
        (
            spec(flavor(extra_specs=PET | {"trait:CUSTOM_SLOW": "forbidden"})),
            "a reserve with no trait CUSTOM_SLOW required",
        ),
        (
            spec(flavor(), availability_zone="az2"),
            "a reserve with availability zone az2 required",
        ),
    ],
)
def test_servers_that_are_refused(
    admit: Callable[..., str], request_: Any, words: str
) -> None:
    slow = spare("spare", room(4, 4096), traits=frozenset({"CUSTOM_SLOW"}))
    assert admit(cloud(NODE, slow), spec(flavor())).startswith("node|")
    found = admit(cloud(NODE, slow), request_)
    assert found.startswith("|")
    assert words in found


@pytest.mark.parametrize(
    "request_",
    [
        spec(flavor(99, extra_specs={})),
        spec(flavor(99, extra_specs=PET | {"ha:recovery": "none"})),
    ],
)
def test_who_would_not_be_recovered_passes(
    admit: Callable[..., str], request_: Any
) -> None:
    assert admit(cloud(NODE, SPARE), request_).startswith("node spare|")


@pytest.mark.parametrize(
    "operation",
    [
        Operation.EVACUATE,
        Operation.LIVE_MIGRATE,
        Operation.COLD_MIGRATE,
        Operation.REBUILD,
    ],
)
def test_other_operations_never_wait_for_it(
    admit: Callable[..., str], operation: Operation
) -> None:
    request = spec(flavor(99))
    found = Request(operation, request.instance_uuid, True, source="node")
    remember(request, Scheduling(found))
    site = cloud(NODE, SPARE)
    assert admit(site, request, publish=False).startswith("node spare|")


def test_a_resize_in_place_on_a_reserve_host(admit: Callable[..., str]) -> None:
    """After an evacuation: it may grow where another host could take it all."""
    site = load(cloud(NODE, SPARE), "spare", 1, 1024)
    server = site.servers["on-spare"]
    request = resizing(spec(flavor()), server, site.hosts["spare"])
    assert admit(site, request).startswith("|")
    site.hosts["spare2"] = spare("spare2", room(4, 4096))
    request = resizing(spec(flavor()), server, site.hosts["spare"])
    assert admit(site, request).startswith("node spare|")


def test_of_many_at_once_all_count_for_the_disk(admit: Callable[..., str]) -> None:
    site = cloud(NODE, spare("spare", room(4, 4096, 25)))
    assert admit(site, spec(flavor(disk=10), num_instances=2)).startswith("node|")
    assert admit(site, spec(flavor(disk=10), num_instances=3)).startswith("|")
    assert admit(site, spec(flavor(disk=99), is_bfv=True)).startswith("node|")


def test_off_asks_for_nothing(admit: Callable[..., str]) -> None:
    found = admit(cloud(NODE, SPARE), spec(flavor(99)), publish=False, admission="off")
    assert found == "node spare|"


def test_audit_lets_it_pass(admit: Callable[..., str]) -> None:
    found = admit(cloud(NODE, SPARE), spec(flavor(5)), admission="audit")
    assert found.startswith("node spare|")
    assert "audit: boot of server" in found
    assert "would get no host: " in found


@pytest.mark.parametrize(
    ("values", "passed"),
    [
        ({}, "|"),
        ({"admission_when_stale": "allow"}, "node spare|"),
        ({"admission": "audit"}, "node spare|"),
    ],
)
def test_without_a_file(
    admit: Callable[..., str], values: dict[str, str], passed: str
) -> None:
    site = cloud(NODE, SPARE)
    found = admit(site, spec(flavor()), publish=False, **values)
    assert found.startswith(passed)
    assert "admission.json cannot be read: No such file or directory. Until" in found
