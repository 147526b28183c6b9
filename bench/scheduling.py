# SPDX-License-Identifier: Apache-2.0
"""select_destinations in a real cloud: plugin off, filters only, and pre-filters.

A boot, and an evacuation of a server whose host has died. The settings take turns,
round by round, so that whatever else the machine does meets all of them. Of each the
fastest call counts: what else the machine does only ever adds. Threads share Python's
one lock, so they keep to one core instead of fighting for it over several.
"""

import gc
import tempfile
import time
from collections.abc import Callable
from typing import Any

from nova import context as nova_context
from nova import objects

from bench import cores
from bench.effort import Effort
from tests.lib.cloud import Cloud
from tests.lib.cloud.config import Conf, merge

ZONES = 10
PLUGIN = [
    "HostMaintenanceFilter",
    "StorageZoneFilter",
    "FailoverHostFilter",
    "HAFlavorFilter",
]
STOCK = [
    "ComputeFilter",
    "ComputeCapabilitiesFilter",
    "ImagePropertiesFilter",
    "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter",
]


def _conf(filters: list[str], weighers: list[str], prefilter: bool) -> dict[str, Any]:
    return {
        "filter_scheduler": {
            "available_filters": [
                "nova.scheduler.filters.all_filters",
                "nova_ha_scheduler.filters.all_filters",
            ],
            "enabled_filters": filters,
            "weight_classes": ["nova.scheduler.weights.all_weighers", *weighers],
        },
        "ha_scheduler": {"placement_prefilter": prefilter},
    }


OURS = ["nova_ha_scheduler.weighers.all_weighers"]
SETTINGS = {
    "plugin off": _conf(STOCK, [], False),
    "filters only": _conf(PLUGIN + STOCK, OURS, False),
    "pre-filters": _conf(PLUGIN + STOCK, OURS, True),
}
# Else the heartbeats of 300 hosts are a part of what is measured.
QUIET: Conf = {"DEFAULT": {"report_interval": 1800, "service_down_time": 7200}}
# Of Placement, as Nova writes allocations: with a consumer generation, no type.
_API = "1.28"


def measure(effort: Effort, say: Callable[[str], None] = print) -> dict[str, float]:
    """Print a table; return boot_ratio_plugin_on_off and the evacuations' ratio."""
    cores.keep_to_one()
    hosts = effort.hosts
    names = [f"z{number % ZONES}h{number // ZONES}" for number in range(hosts)]
    mounts = {name: name.partition("h")[0] for name in names}
    say(f"starting a cloud of {hosts} hosts in {ZONES} zones ...")
    with (
        tempfile.TemporaryDirectory(prefix="nova-ha-bench-") as state,
        Cloud(
            state, {"cell1": names}, mounts, merge(SETTINGS["pre-filters"], QUIET)
        ) as cloud,
    ):
        _tag(cloud, names)
        boot, evacuation = _requests(cloud, names[0])
        taken: dict[str, dict[str, list[float]]] = {
            setting: {"boot": [], "evacuation": []} for setting in SETTINGS
        }
        for number in range(effort.rounds + 1):
            turn = number % len(SETTINGS)  # nobody always follows the same one
            for setting in [*list(SETTINGS)[turn:], *list(SETTINGS)[:turn]]:
                cloud.restart_scheduler(SETTINGS[setting])
                for kind, request in (("boot", boot), ("evacuation", evacuation)):
                    seconds = [_seconds(cloud, request) for _ in range(effort.calls)]
                    if number:  # the first round warms up
                        taken[setting][kind] += seconds[1:]
    best = {
        setting: {kind: min(times) for kind, times in kinds.items()}
        for setting, kinds in taken.items()
    }
    say(f"{'select_destinations, fastest':30}{'boot':>12}{'evacuation':>12}")
    for setting, kinds in best.items():
        boot_ms, evacuation_ms = kinds["boot"] * 1e3, kinds["evacuation"] * 1e3
        say(f"{setting:30}{boot_ms:9.0f} ms{evacuation_ms:9.0f} ms")
    on, off, filters = (
        best[setting] for setting in ("pre-filters", "plugin off", "filters only")
    )
    figures = {
        "boot_ratio_plugin_on_off": on["boot"] / off["boot"],
        "boot_ratio_filters_off": filters["boot"] / off["boot"],
        "evacuation_schedule_ratio_prefilter_filters": on["evacuation"]
        / filters["evacuation"],
    }
    for name, figure in figures.items():
        say(f"{name:46}{figure:8.3f}")
    return {name: round(figure, 4) for name, figure in figures.items()}


def _tag(cloud: Cloud, names: list[str]) -> None:
    """Ten zones, the last host of each reserved."""
    tags: dict[str, tuple[dict[str, str], list[str]]] = {
        f"z{zone}": (
            {"storage_zone": f"nfs-{zone}"},
            [name for name in names if name.startswith(f"z{zone}h")],
        )
        for zone in range(ZONES)
    }
    tags["reserve"] = ({"ha:reserved": "true"}, names[-ZONES:])
    for name, (metadata, members) in tags.items():
        cloud.aggregate(name, metadata, members)


def _requests(cloud: Cloud, source: str) -> tuple[Any, Any]:
    """What makes a fresh RequestSpec for a boot, and one for an evacuation.

    The server is left as the API leaves it when an evacuation begins, so that the
    scheduler can be asked again and again where it should go.
    """
    context = nova_context.get_admin_context()
    flavor = cloud.flavor("bench")
    booted = cloud.boot("booted", flavor)["id"]
    dying = cloud.boot("dying", flavor, host=source)["id"]
    cloud.crash(source)
    cloud.force_down(source)
    mapping = objects.InstanceMapping.get_by_instance_uuid(context, dying)
    with nova_context.target_cell(context, mapping.cell_mapping) as cell:
        instance = objects.Instance.get_by_uuid(cell, dying)
        objects.Migration(
            cell,
            source_compute=source,
            source_node=instance.node,
            instance_uuid=dying,
            status="accepted",
            migration_type="evacuation",
            uuid="00000000-0000-0000-0000-00000000e7ac",
        ).create()
        instance.task_state = "rebuilding"
        instance.save()

    def boot() -> Any:
        return objects.RequestSpec.get_by_instance_uuid(context, booted)

    def evacuation() -> Any:
        spec = objects.RequestSpec.get_by_instance_uuid(context, dying)
        spec.requested_destination = objects.Destination(cell=mapping.cell_mapping)
        spec.ignore_hosts = [source]
        return spec

    return boot, evacuation


def _seconds(cloud: Cloud, request: Callable[[], Any]) -> float:
    """Time one call, and give back what it claimed in Placement.

    Without garbage collection, as timeit does it: it would search all of the cloud.
    """
    spec = request()
    uuid = spec.instance_uuid
    spec.requested_resources = []
    before = cloud.placement("GET", f"/allocations/{uuid}", microversion=_API).json()
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    cloud.scheduler.select_destinations(
        nova_context.get_admin_context(),
        spec_obj=spec,
        instance_uuids=[uuid],
        return_objects=True,
        return_alternates=False,
    )
    seconds = time.perf_counter() - start
    gc.enable()
    now = cloud.placement("GET", f"/allocations/{uuid}", microversion=_API).json()
    before["consumer_generation"] = now["consumer_generation"]
    answer = cloud.placement("PUT", f"/allocations/{uuid}", before, _API)
    if not answer.ok:
        raise RuntimeError(f"cannot restore the allocations of {uuid}: {answer.text}")
    return seconds
