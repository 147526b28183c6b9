# SPDX-License-Identifier: Apache-2.0
"""The options in nova.conf, and the policy that they say."""

from oslo_config import cfg

from nova_ha_scheduler.rules.model import Policy, ZonelessSource

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
