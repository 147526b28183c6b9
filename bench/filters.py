# SPDX-License-Identifier: Apache-2.0
"""Microseconds per host of each filter, beside a stock filter of Nova's.

The hosts are Nova's HostState with Nova's Aggregate objects, in three aggregates
each: storage zone, ha, availability zone; a tenth is reserved, too. Each filter is
asked what makes it look at every host. The look-ups of a move are a request's, not a
host's, and are part of the other benchmark. Admission is asked about a boot, with two
reserve hosts published for each zone.
"""

import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nova import objects
from nova.conf import CONF
from nova.scheduler.filters.aggregate_instance_extra_specs import (
    AggregateInstanceExtraSpecsFilter,
)
from nova.scheduler.host_manager import HostState

from bench.effort import Effort
from nova_ha_scheduler import conf
from nova_ha_scheduler.admission import published
from nova_ha_scheduler.filters import all_filters
from nova_ha_scheduler.filters.ha_admission_filter import HAAdmissionFilter
from nova_ha_scheduler.operation import Scheduling, remember
from nova_ha_scheduler.rules.admission import ReserveHost, ZoneReserve
from nova_ha_scheduler.rules.terms import HostFacts, Operation, Request

objects.register_all()

ZONES = 10
SERVER = "00000000-0000-0000-0000-000000000001"


def _aggregate(number: int, **metadata: str) -> Any:
    return objects.Aggregate(
        id=number,
        uuid=f"00000000-0000-0000-0000-{number:012}",
        name=f"aggregate-{number}",
        hosts=[],
        metadata={key.replace("__", ":"): value for key, value in metadata.items()},
    )


def _hosts(count: int) -> list[Any]:
    zones = [_aggregate(n, storage_zone=f"nfs-{n}") for n in range(ZONES)]
    protected = _aggregate(100, ha="true")
    site = _aggregate(101, availability_zone="az1")
    reserve = _aggregate(102, ha__reserved="true")
    hosts = []
    for number in range(count):
        host = HostState(f"host{number}", f"host{number}", None)
        host.aggregates = [zones[number % ZONES], protected, site]
        if number % 10 == 9:
            host.aggregates.append(reserve)
        hosts.append(host)
    return hosts


def _publish(path: Path) -> None:
    free = {"VCPU": 16, "MEMORY_MB": 65536, "DISK_GB": 1000}
    zones = (
        ZoneReserve(
            f"nfs-{n}", tuple(ReserveHost(f"spare{n}-{k}", free) for k in range(2))
        )
        for n in range(ZONES)
    )
    published.write(path, time.time(), tuple(zones))


def _boot() -> Any:
    flavor = objects.Flavor(
        name="pet",
        vcpus=2,
        memory_mb=4096,
        root_gb=20,
        ephemeral_gb=0,
        swap=0,
        extra_specs={"ha": "true"},
    )
    return objects.RequestSpec(instance_uuid=SERVER, flavor=flavor, is_bfv=False)


def _request() -> Any:
    """A live migration of an ha=true server out of a zone, looked up already."""
    spec = objects.RequestSpec(
        instance_uuid=SERVER,
        flavor=objects.Flavor(extra_specs={"ha": "true"}),
        scheduler_hints={},
    )
    request = Request(
        Operation.LIVE_MIGRATE,
        SERVER,
        ha=True,
        source="host0",
        source_facts=HostFacts.of([{"storage_zone": "nfs-0"}]),
    )
    remember(spec, Scheduling(request))
    return spec


def _seconds(filter_: Any, hosts: list[Any], spec: Any) -> float:
    start = time.perf_counter()
    list(filter_.filter_all(hosts, spec))
    return time.perf_counter() - start


def measure(effort: Effort, say: Callable[[str], None] = print) -> dict[str, float]:
    """Print a table; return filter_cost_ratio.<Filter>.<hosts>."""
    conf.register_opts(CONF)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "admission.json")
        _publish(path)
        options = {"placement_prefilter": False, "admission": "enforce"}
        for name, value in (options | {"admission_file": str(path)}).items():
            CONF.set_override(name, value, group="ha_scheduler")
        filters = [AggregateInstanceExtraSpecsFilter()]
        filters += [cls() for cls in all_filters()]
        for name in (*options, "admission_file"):
            CONF.clear_override(name, group="ha_scheduler")
        return _compare(filters, effort, say)


def _compare(
    filters: list[Any], effort: Effort, say: Callable[[str], None]
) -> dict[str, float]:
    stock, *_ = filters
    figures = {}
    say(f"{'microseconds per host, median':36}{'hosts':>8}{'cost':>8}{'ratio':>8}")
    for count in effort.passes:
        hosts = _hosts(count)
        taken: dict[str, list[float]] = {type(f).__name__: [] for f in filters}
        gc.collect()
        gc.disable()
        for _ in range(effort.repeats):
            for filter_ in filters:
                admission = isinstance(filter_, HAAdmissionFilter)
                asked = _boot() if admission else _request()
                seconds = _seconds(filter_, hosts, asked)
                taken[type(filter_).__name__].append(seconds / count * 1e6)
        gc.enable()
        cost = {name: statistics.median(values) for name, values in taken.items()}
        for name, microseconds in cost.items():
            ratio = microseconds / cost[type(stock).__name__]
            say(f"{name:36}{count:8}{microseconds:8.3f}{ratio:8.3f}")
            if name != type(stock).__name__:
                figures[f"filter_cost_ratio.{name}.{count}"] = round(ratio, 4)
    return figures
