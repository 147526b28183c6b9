# SPDX-License-Identifier: Apache-2.0
"""nova.conf, as far as it concerns us, read where no Nova is installed.

The options are declared here with the types and defaults that they have in Nova;
tests/unit/doctor/test_nova_conf.py holds them against Nova's own.
"""

from collections.abc import Iterable, Iterator, Sequence

from oslo_config import cfg

from nova_ha_scheduler import conf as scheduler_conf
from nova_ha_scheduler import spelling

STOCK_FILTERS = "nova.scheduler.filters.all_filters"
OUR_FILTERS = "nova_ha_scheduler.filters.all_filters"
STOCK_WEIGHERS = "nova.scheduler.weights.all_weighers"
ADMISSION_FILTER = "HAAdmissionFilter"
OUR_WEIGHERS = "nova_ha_scheduler.weighers.all_weighers"
ADMISSION_WEIGHER = "nova_ha_scheduler.weighers.admission.HAAdmissionWeigher"

DEFAULT_OPTS = [
    cfg.IntOpt("report_interval", default=10),
    cfg.IntOpt("rpc_response_timeout", default=60),
    cfg.IntOpt("service_down_time", default=60),
    cfg.StrOpt("servicegroup_driver", default="db"),
    cfg.BoolOpt("resume_guests_state_on_host_boot", default=False),
    cfg.StrOpt("control_exchange", default="nova"),
]
GROUPS = {
    "filter_scheduler": [
        cfg.MultiStrOpt("available_filters", default=[STOCK_FILTERS]),
        cfg.ListOpt(
            "enabled_filters",
            default=[
                "ComputeFilter",
                "ComputeCapabilitiesFilter",
                "ImagePropertiesFilter",
                "ServerGroupAntiAffinityFilter",
                "ServerGroupAffinityFilter",
            ],
        ),
        cfg.ListOpt("weight_classes", default=[STOCK_WEIGHERS]),
        cfg.IntOpt("max_io_ops_per_host", default=8),
        cfg.IntOpt("max_instances_per_host", default=50),
        cfg.ListOpt("isolated_hosts", default=[]),
    ],
    "scheduler": [
        cfg.IntOpt("max_placement_results", default=1000),
        cfg.BoolOpt("limit_tenants_to_placement_aggregate", default=False),
        cfg.BoolOpt("enable_isolated_aggregate_filtering", default=False),
    ],
    "notifications": [
        cfg.StrOpt("notification_format", default="unversioned"),
        cfg.ListOpt(
            "versioned_notifications_topics", default=["versioned_notifications"]
        ),
    ],
    "oslo_messaging_notifications": [cfg.MultiStrOpt("driver", default=[])],
    "service_user": [cfg.BoolOpt("send_service_user_token", default=False)],
}


class NovaConf:
    """Nova's options, by group and name.

    :raises cfg.Error: a file is missing, or holds no value of an option's type.
    """

    def __init__(self, files: Sequence[str]) -> None:
        self.files = tuple(files)
        conf = cfg.ConfigOpts()
        conf.register_opts(DEFAULT_OPTS)
        for group, opts in GROUPS.items():
            conf.register_opts(opts, group=group)
        scheduler_conf.register_opts(conf)
        # An empty default: Nova's own files of this host are not meant.
        arguments = [f"--config-file={path}" for path in files]
        conf(arguments, project="nova", default_config_files=[], default_config_dirs=[])
        self._conf = conf
        for opt in DEFAULT_OPTS:
            self(None, opt.name)  # a bad value shows when it is read
        for group, opts in GROUPS.items():
            for opt in opts:
                self(group, opt.name)
        self.policy = scheduler_conf.policy(conf)

    def __call__(self, group: str | None, name: str) -> object:
        return self._conf[group][name] if group else self._conf[name]

    def number(self, group: str | None, name: str) -> int:
        value = self(group, name)
        assert isinstance(value, int)
        return value

    def words(self, group: str, name: str) -> list[str]:
        """A list's items."""
        value = self(group, name)
        assert isinstance(value, Iterable)
        return [str(word).strip() for word in value]

    @property
    def filters(self) -> list[str]:
        """Those that nova-scheduler asks, by name."""
        return self.words("filter_scheduler", "enabled_filters")

    def ours(self, name: str) -> object:
        """An option of [ha_scheduler]."""
        return self("ha_scheduler", name)

    def unknown(self) -> Iterator[str]:
        """Sentences on names in [ha_scheduler] that are no options."""
        known = {scheduler_conf.GROUP.name: [opt.name for opt in scheduler_conf.OPTS]}
        for path in self.files:
            yield from spelling.strange_options(path, known)
