# SPDX-License-Identifier: Apache-2.0
"""The cloud of the demo: its hosts, their tags, and nova.conf with and without us."""

from demo.told import DOWN_TIME
from tests.lib.cloud.config import Conf
from tests.lib.cloud.hardware import Size

ZONES = {"nfs-a": ["a1", "a2", "a3", "a4"], "nfs-b": ["b1", "b2", "b3", "b4"]}
RESERVE = {"nfs-a": "a4", "nfs-b": "b4"}
PROTECTED = ["a1", "a2", "a4", "b1", "b2", "b4"]
HOSTS = [host for hosts in ZONES.values() for host in hosts]
ZONE_OF = {host: zone for zone, hosts in ZONES.items() for host in hosts}
ORDINARY = [host for host in HOSTS if host not in RESERVE.values()]

SIZE = Size(vcpus=32, memory_mb=16384, local_gb=100)
#: Without the plugin, Nova takes the host with the most free memory. That is b4 for
#: certain: it is empty, and larger than any host of nfs-a.
SIZES = {"b4": Size(vcpus=64, memory_mb=32768, local_gb=200)}

#: name -> (metadata, hosts)
AGGREGATES = {
    **{zone: ({"storage_zone": zone}, hosts) for zone, hosts in ZONES.items()},
    "protected": ({"ha": "true"}, PROTECTED),
    "reserve": ({"ha:reserved": "true"}, list(RESERVE.values())),
    "maintenance": ({"ha:maintenance": "true"}, list[str]()),
}

#: name -> (MB of memory, extra specs)
FLAVORS = {
    "plain": (1024, dict[str, str]()),
    "plain-large": (2048, dict[str, str]()),
    "ha": (1024, {"ha": "true"}),
}

_NOVA = {
    "available_filters": ["nova.scheduler.filters.all_filters"],
    # Nova's defaults.
    "enabled_filters": [
        "ComputeFilter",
        "ComputeCapabilitiesFilter",
        "ImagePropertiesFilter",
        "ServerGroupAntiAffinityFilter",
        "ServerGroupAffinityFilter",
    ],
    "weight_classes": ["nova.scheduler.weights.all_weighers"],
}
_OURS = {
    "available_filters": ["nova_ha_scheduler.filters.all_filters"],
    "enabled_filters": [
        "StorageZoneFilter",
        "FailoverHostFilter",
        "HAFlavorFilter",
        "HostMaintenanceFilter",
    ],
    "weight_classes": ["nova_ha_scheduler.weighers.all_weighers"],
}

FILTERS = _OURS["enabled_filters"]
PLUGIN_OFF: Conf = {"filter_scheduler": _NOVA}
PLUGIN_ON: Conf = {
    "DEFAULT": {"report_interval": DOWN_TIME // 3, "service_down_time": DOWN_TIME},
    "filter_scheduler": {key: _NOVA[key] + _OURS[key] for key in _NOVA},
}
