# SPDX-License-Identifier: Apache-2.0
"""The options in nova.conf, and the policy that they say."""

from oslo_config import cfg

from nova_ha_scheduler.rules.terms import Policy, ZonelessSource

GROUP = cfg.OptGroup(
    "ha_scheduler",
    title="nova-ha-scheduler",
    help="Sticky storage zones, reserved failover hosts, maintenance and ha flavors "
    "in nova-scheduler. Read when the scheduler starts.",
)

OPTS = [
    cfg.BoolOpt(
        "placement_prefilter",
        default=True,
        help="Ask Placement itself for the hosts that the enabled filters of "
        "nova-ha-scheduler would pass, as required and forbidden aggregates. "
        "Without it the rules still hold, but in a cloud with more hosts than "
        "[scheduler] max_placement_results a move can fail although its storage "
        "zone has room, and every move loads all hosts. Turn it off only if "
        "Placement's mirror of the host aggregates is not to be trusted "
        "(see nova-manage placement sync_aggregates).",
    ),
    cfg.FloatOpt(
        "lookup_timeout",
        default=10.0,
        min=0.1,
        help="Seconds that a look-up of a moving server in its cell's database may "
        "take. After that the move is refused and a warning names the server; "
        "boots make no such look-up.",
    ),
    cfg.BoolOpt(
        "live_migrate_to_reserve",
        default=False,
        help="Let live migrations use reserved failover hosts (aggregate metadata "
        "ha:reserved=true), for example to drain a host before maintenance. Servers "
        "that stay there are room that the next evacuation lacks.",
    ),
    cfg.BoolOpt(
        "reserve_for_ha_only",
        default=False,
        help="Keep reserved failover hosts for servers whose flavor has ha=true: "
        "evacuations of other servers need an ordinary host.",
    ),
    cfg.BoolOpt(
        "isolate_ha_hosts",
        default=False,
        help="Keep servers whose flavor lacks ha=true off the hosts of aggregates "
        "with ha=true.",
    ),
    cfg.BoolOpt(
        "exempt_volume_backed",
        default=False,
        help="Let a server leave its storage zone if all its disks lie on volumes: "
        "it boots from a volume and its flavor has neither ephemeral disk nor swap.",
    ),
    cfg.StrOpt(
        "zoneless_source",
        default=ZonelessSource.ZONELESS.value,
        choices=[
            (
                ZonelessSource.ZONELESS.value,
                "they may move to other hosts without a storage zone",
            ),
            (
                ZonelessSource.NO_EVACUATION.value,
                "the same, but they are not evacuated: with a local disk, Nova would "
                "rebuild it from the image",
            ),
            (ZonelessSource.REFUSE.value, "they do not move at all"),
        ],
        help="What servers may do whose host is in no storage zone (no aggregate "
        "with storage_zone). They never enter a zone.",
    ),
    cfg.StrOpt(
        "admission",
        default="off",
        choices=[
            ("off", "every server is admitted"),
            (
                "audit",
                "the log says what would be refused, and it is admitted; see "
                "admission_weight_multiplier",
            ),
            ("enforce", "such a host is refused, and the log says why"),
        ],
        help="What HAAdmissionFilter does about a boot, an unshelve or a resize of an "
        "ha=true server after which the reserve of its storage zone could not take "
        "all servers of the host, should it die. It goes by admission_file.",
    ),
    cfg.IntOpt(
        "admission_failures",
        default=1,
        min=1,
        help="How many hosts of a storage zone shall be able to die together: so many "
        "reserve hosts of the zone each have to have room for what is on a host.",
    ),
    cfg.StrOpt(
        "admission_file",
        default="/var/lib/nova-ha-admission/admission.json",
        help="What 'nova-ha capacity --publish' has written, or the active trigger "
        "(nova-ha.conf: [admission] publish_interval), as a path on the host of "
        "nova-scheduler. It has to get there by itself: run the command there, copy "
        "the file whole (write it beside, then rename it), or lay it on a share.",
    ),
    cfg.FloatOpt(
        "admission_max_age",
        default=900.0,
        min=1,
        help="Seconds for which the file may be relied on, from the moment at which "
        "the cloud was looked at. At least three times the interval at which it is "
        "written, so that one failure does no harm.",
    ),
    cfg.StrOpt(
        "admission_when_stale",
        default="refuse",
        choices=[
            ("refuse", "refuse what admission would be asked about"),
            ("allow", "admit it, as if admission were off"),
        ],
        help="What admission = enforce does while the file is missing, unreadable or "
        "too old. A warning says so, once each time that it begins.",
    ),
    cfg.FloatOpt(
        "admission_weight_multiplier",
        default=0.0,
        help="With admission = audit: how strongly a host that admission would not "
        "refuse is preferred to one that it would (HAAdmissionWeigher), so that "
        "servers go where they could be recovered as long as there is such a place. "
        "1000 outweighs Nova's own weighers at their defaults; 0: they do not count. "
        "May be overridden in aggregate metadata under the same name.",
    ),
    cfg.FloatOpt(
        "failover_host_weight_multiplier",
        default=1000.0,
        help="How strongly an evacuation prefers reserved failover hosts "
        "(FailoverHostWeigher). Negative: it spares them while ordinary hosts have "
        "room. The default outweighs Nova's own weighers at their defaults. May be "
        "overridden in aggregate metadata under the same name.",
    ),
    cfg.FloatOpt(
        "storage_zone_weight_multiplier",
        default=1.0,
        help="How strongly boots and unshelves prefer the storage zone with the most "
        "free memory (StorageZoneWeigher). Negative: they fill the fullest zone "
        "first. May be overridden in aggregate metadata under the same name.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; doing so again does nothing."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, OPTS)]


def policy(conf: cfg.ConfigOpts) -> Policy:
    """What the options say, validated as a whole.

    oslo.config checks a value when it is read. Reading all of them here makes a
    wrong one an error at the start of nova-scheduler, not at the first request.

    :raises oslo_config.cfg.ConfigFileValueError: it names the option.
    """
    register_opts(conf)
    options = {opt.name: conf.ha_scheduler[opt.name] for opt in OPTS}
    return Policy(
        live_migrate_to_reserve=options["live_migrate_to_reserve"],
        reserve_for_ha_only=options["reserve_for_ha_only"],
        isolate_ha_hosts=options["isolate_ha_hosts"],
        exempt_volume_backed=options["exempt_volume_backed"],
        zoneless_source=ZonelessSource(options["zoneless_source"]),
    )
