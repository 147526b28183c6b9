# SPDX-License-Identifier: Apache-2.0
"""The trigger's own options in nova-ha.conf, and what they say to the engine.

The engine's have their types and defaults in :class:`.options.Options`. Not every
field of it is an option: what nobody would set otherwise is not asked.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from nova_ha_scheduler import conf as scheduler_conf
from nova_ha_scheduler.cluster import conf as cluster_conf
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.fencing import conf as fencing_conf
from nova_ha_scheduler.health import conf as health_conf
from nova_ha_scheduler.journal import conf as journal_conf
from nova_ha_scheduler.receivers import conf as receivers_conf
from nova_ha_scheduler.spool import conf as spool_conf
from nova_ha_scheduler.witnesses import conf as witnesses_conf

_FROM_ZERO = (
    "clock_skew",
    "retry_interval",
    "device_check_interval",
    "return_flapping_within",
    "reboot_looks",
    "off_time",
    "maintenance_force_complete_after",
)
"""Fields of Options that may be 0, as may the guard's; the others begin at 1."""


def _of_engine(group: cfg.OptGroup, helps: Mapping[str, str]) -> list[cfg.Opt]:
    """Options that are fields of Options; guard_window is [guard] window."""
    opts = []
    for field, help in helps.items():
        name, default = field.removeprefix(f"{group.name}_"), getattr(Options, field)
        if isinstance(default, bool):
            opt = cfg.BoolOpt(name, default=default, help=help, mutable=True)
            opts.append(opt)
            continue
        kind = cfg.FloatOpt if isinstance(default, float) else cfg.IntOpt
        limits = {"min": 0 if group.name == "guard" or field in _FROM_ZERO else 1}
        if field.endswith("_percent"):
            limits["max"] = 100
        limited = {**limits, "mutable": True}
        opts.append(kind(name, default=default, help=help, **limited))
    return opts


DETECTION = cfg.OptGroup("detection", help="When a host looks dead.")
DETECTION_HELP = {
    "down_time": "Seconds without a heartbeat after which a service that Nova calls "
    "down is suspected, at least. A forced-down one is suspected at once. When every "
    "service is silent for half of it, the trigger holds itself for blind; and one "
    "that is silent for that long while others are heard of is no destination: make "
    "it at least four times Nova's report_interval.",
    "recover_disabled": "Recover the servers of a protected host that dies while "
    "somebody has its service disabled. Who disables a service means that no new "
    "servers come; true says that this is all that is meant. False: such a host is "
    "left alone, as one is that was disabled to be switched off; that it died is an "
    "event, nova-ha health shows it, and nova-ha check warns of it beforehand. A host "
    "under maintenance is left alone either way.",
    "off_time": "A protected host that has missed a heartbeat, by the rhythm that its "
    "own heartbeats had, has its fence device asked for the power, read-only. If the "
    "device says off, and again so many seconds later, and no witness sees the host "
    "alive, the host is dead without waiting for down_time: the guard is asked, and it "
    "is fenced as ever. Make it longer than a power cycle of your hosts keeps them "
    "off. 0: no device is asked before down_time is over.",
    "suspect_by_witnesses": "Suspect a protected host that has missed two heartbeats, "
    "and that every witness calls dead, without waiting for down_time; at least one "
    "has to be enabled. It is fenced as ever. A network that fails for longer than two "
    "heartbeats has its hosts fenced, with guests that may be well: set it where the "
    "witnesses take another way than the heartbeats, or where that is what you want.",
    "reboot_looks": "A host that reboots by itself, faster than it can be taken for "
    "dead, comes back without its servers. Where its heartbeats pause, or come out of "
    "step, it is looked at: its servers are listed, and the hypervisor of one of them "
    "is asked, which are two requests. Beside that, once in each so many looks, so is "
    "each protected host that was not looked at since the trigger became active. 0: "
    "only where the heartbeats say so.",
    "clock_skew": "Seconds by which the clocks of this host and of Nova's may differ.",
}
DETECTION_OPTS = [
    cfg.FloatOpt(
        "poll_interval",
        default=10.0,
        min=0.1,
        mutable=True,
        help="Seconds between two looks at the compute services in quiet times.",
    ),
    *_of_engine(DETECTION, DETECTION_HELP),
]

GUARD = cfg.OptGroup(
    "guard",
    help="How many hosts may die before the trigger holds itself for blind and "
    "fences nothing more. Shares are rounded down, and allow one host at least.",
)
GUARD_HELP = {
    "max_hosts": "Hosts in a window. 0: nothing is ever fenced without a person.",
    "max_zone_percent": "Percent of a storage zone's hosts in a window.",
    "max_cloud_percent": "Percent of all hosts in a window.",
    "guard_window": "The window's seconds.",
    "guard_cooldown": "Seconds for which nothing is fenced after the guard has "
    "tripped.",
}
GUARD_OPTS = _of_engine(GUARD, GUARD_HELP)

EVACUATION = cfg.OptGroup(
    "evacuation", help="Which servers move, and how many at once."
)
EVACUATION_HELP = {
    "protect_all_servers": "Evacuate all servers of a protected host, not only those "
    "whose flavor has ha=true.",
    "tenant_raises": "Let a server's metadata, which its tenant writes, raise what its "
    "flavor says of ha:recovery and ha:priority; it can always lower it.",
    "max_in_flight": "Evacuations under way at most. One of which Nova shows no "
    "progress does not count: its destination is down, its state is to be reset, or "
    "nothing has changed for stalled_after. It keeps its room at its destination, and "
    "is followed to its end.",
    "max_in_flight_per_zone": "The same for each storage zone that they go to.",
    "max_in_flight_per_destination": "The same for each host that they go to. More "
    "are no faster: the host copies images, plugs ports and starts guests for all of "
    "them at once. Where the choice is left to Nova's scheduler, those are counted "
    "for which the planner has found room there.",
    "attempts": "How many times Nova is asked for one server.",
    "retry_interval": "Seconds between two attempts.",
    "planned_destinations": "Name the host that the planner has chosen in each "
    "request; Nova's filters verify it. False, with unnamed_requests = true: leave the "
    "choice to Nova's scheduler from the first request on, which may send servers that "
    "are asked for at the same moment to one host; the planner then only sees to it "
    "that there is room for each.",
    "unnamed_requests": "Whether the choice of the host may be left to Nova's "
    "scheduler: with planned_destinations, when it has refused each host that was "
    "named. Only with the scheduler plugin's StorageZoneFilter enabled: without, Nova "
    "may choose a host that does not see the server's disk, which is lost then. The "
    "choice is never left to it while a host that may be dying is up by its word, nor "
    "for a server that may be at one host alone.",
    "settle": "Seconds for which a request whose answer was lost may still take "
    "effect. Not less than the time-out of any proxy in front of Nova.",
    "task_state_grace": "Seconds for which a server whose task state is in the way of "
    "an evacuation or a move is waited for, before it is left where it is.",
    "check_time": "Seconds that a landed server has to run with its volumes and ports.",
    "stalled_after": "Seconds after which an evacuation, or a live migration, gives "
    "its place under max_in_flight to another one, if neither its migration record nor "
    "its server has changed in Nova. Make it longer where large disks are made anew "
    "from images, of which Nova shows nothing. A cold migration, which may copy disks, "
    "keeps its place for slow_after.",
    "slow_after": "Seconds after which an evacuation under way is called slow; it is "
    "followed to its end all the same.",
    "device_check_interval": "Seconds between two checks of each fence device while "
    "all is well; one that does not answer is an event in the history. 0: no checks.",
}
EVACUATION_OPTS = [
    cfg.FloatOpt(
        "follow_interval",
        default=2.0,
        min=0.1,
        mutable=True,
        help="Seconds between two looks at the cloud while a recovery is under way; "
        "three times as many while Nova's notifications tell how the recovery goes.",
    ),
    cfg.IntOpt(
        "workers",
        default=16,
        min=1,
        help="Requests to Nova and to fence devices at the same time.",
    ),
    *_of_engine(EVACUATION, EVACUATION_HELP),
]

MAINTENANCE = cfg.OptGroup(
    "maintenance",
    help="How servers that are well move: off hosts under maintenance, and home.",
)
MAINTENANCE_HELP = {
    "maintenance_max_in_flight": "Live and cold migrations under way at most; see "
    "[evacuation] stalled_after.",
    "maintenance_attempts": "How many times Nova is asked for one server.",
    "maintenance_force_complete_after": "Seconds for which the memory of a server may "
    "be copied in a live migration until Nova is asked to complete that by force: one "
    "that writes memory faster than it is copied never arrives by itself. Nova pauses "
    "it then until the rest is copied, or, with [libvirt] "
    "live_migration_permit_post_copy in its nova.conf, lets it run at its destination "
    "at once. Set it well below [libvirt] live_migration_completion_timeout, after "
    "which Nova gives the migration up. 0: never; a server is slow then after "
    "[evacuation] slow_after, and keeps nobody else from moving.",
    "maintenance_stop_to_move": "Stop a server of a host that is drained, if it cannot "
    "be moved while it runs: Nova refuses to migrate it live, or each attempt, with "
    "force_complete_after, too, has failed. It is moved cold then, and started again: "
    "on its new host, or on its old one, if it does not move after all. Its owner has "
    "an outage of minutes. One that its owner starts meanwhile is not stopped again in "
    "that maintenance. No server is stopped to go home. False: it is left where it is, "
    "with the reason.",
}
MAINTENANCE_OPTS = _of_engine(MAINTENANCE, MAINTENANCE_HELP)

RETURN = cfg.OptGroup("return", help="What happens when a dead host has come back.")
RETURN_HELP = {
    "return_enable": "Enable its service when it is up again and has cleaned up. "
    "False: that is left to a person, and the history says so.",
    "return_restart": "Start the servers of a protected host that has rebooted by "
    "itself, faster than it can be taken for dead, by a hard reboot: those that ran "
    "and that the trigger would recover. A host with a single server, which its user "
    "has shut down from within, looks the same. False: an event names them.",
    "return_failback": "Let the servers that were evacuated from it go home by live "
    "migration, stopped ones by cold migration, so that the reserve is empty again. "
    "The flavor extra spec ha:failback says it for its servers; their metadata can "
    "say false, and true with [evacuation] tenant_raises.",
    "return_flapping_within": "Seconds. A host that dies again within so many seconds "
    "of its last death is evacuated as ever; but when it returns, its service stays "
    "disabled until a person enables it, and nothing goes home to it: what has killed "
    "it twice may do so again. 0: no host is treated so.",
    "return_within": "Seconds after which a server that its home could not take stays "
    "where it is.",
}
RETURN_OPTS = _of_engine(RETURN, RETURN_HELP)

ADMISSION = cfg.OptGroup(
    "admission", help="What nova-scheduler's admission goes by; see [ha_scheduler]."
)
ADMISSION_OPTS = [
    cfg.FloatOpt(
        "publish_interval",
        default=0.0,
        min=0,
        help="Seconds after which the active trigger writes [ha_scheduler] "
        "admission_file anew, as 'nova-ha capacity --publish' does: a third of "
        "admission_max_age, or less. It looks at the whole cloud for that, in a "
        "process of its own, and puts it off by up to as long while a recovery is "
        "under way. The file has to get from there to each host of nova-scheduler. "
        "0: it is left to others.",
    ),
]

NOTIFICATIONS = cfg.OptGroup(
    "notifications",
    help="Nova's are listened to, and the history's events are sent (one for each, at "
    "least once, event type nova_ha.KIND), where [oslo_messaging_notifications] "
    "transport_url is set; events also need a driver there, messagingv2.",
)
NOTIFICATION_OPTS = [
    cfg.StrOpt(
        "topic",
        default="versioned_notifications",
        help="Nova's topic of versioned notifications; service.update is heeded, "
        "instance.rebuild.end, which tells at once that an evacuation has ended, and "
        "instance.rebuild.start, by which more of them are asked for at once.",
    ),
    cfg.StrOpt(
        "exchange",
        default="nova",
        help="Nova's control_exchange, which is the exchange of its notifications.",
    ),
]

_GROUPS = (
    (DETECTION, DETECTION_OPTS),
    (GUARD, GUARD_OPTS),
    (EVACUATION, EVACUATION_OPTS),
    (MAINTENANCE, MAINTENANCE_OPTS),
    (RETURN, RETURN_OPTS),
    (ADMISSION, ADMISSION_OPTS),
    (NOTIFICATIONS, NOTIFICATION_OPTS),
)


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register all that nova-ha.conf may hold; doing so again does nothing."""
    for group, opts in _GROUPS:
        conf.register_group(group)
        conf.register_opts(opts, group=group)
    for others in (
        cluster_conf,
        scheduler_conf,
        fencing_conf,
        journal_conf,
        health_conf,
        spool_conf,
        receivers_conf,
    ):
        others.register_opts(conf)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [*_GROUPS]


def options(conf: cfg.ConfigOpts) -> Options:
    """What the options say to the engine; all are read, so a bad one shows here.

    :raises oslo_config.cfg.ConfigFileValueError: it names the option.
    """
    register_opts(conf)
    fields = {field.name for field in dataclasses.fields(Options)}
    read: dict[str, Any] = {}
    for group, opts in (*_GROUPS, (fencing_conf.GROUP, fencing_conf.OPTS)):
        for opt in opts:
            value = conf[group.name][opt.dest]
            full = f"{group.name}_{opt.dest}"
            read[full if full in fields else opt.dest] = value
    witnesses_conf.register_opts(conf)
    return Options(
        witnesses=bool(conf.witnesses.enabled),
        policy=scheduler_conf.policy(conf),
        prefer_reserve=conf.ha_scheduler.failover_host_weight_multiplier > 0,
        **{name: value for name, value in read.items() if name in fields},
    )
