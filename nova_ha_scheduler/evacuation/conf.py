# SPDX-License-Identifier: Apache-2.0
"""The trigger's own options in nova-ha.conf, and what they say to the engine."""

import math

from keystoneauth1 import loading
from oslo_config import cfg

from nova_ha_scheduler import conf as scheduler_conf
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.fencing import conf as fencing_conf
from nova_ha_scheduler.journal import conf as journal_conf

_DEFAULTS = Options()

REQUEST_TIMEOUT = 60.0
"""Seconds that one API request may take, where [cloud] timeout is not set."""

CLOUD = cfg.OptGroup(
    "cloud",
    title="The cloud",
    help="How the trigger logs in: with keystoneauth's options in this group "
    "(auth_type, auth_url, ...), or else as clouds.yaml or the OS_* variables of the "
    "environment say. It needs a role that may do what nova-manage's operators do: "
    "list all servers, force services down, evacuate.",
)
CLOUD_OPTS = [
    cfg.StrOpt(
        "name",
        help="The cloud in clouds.yaml. Unset: OS_CLOUD, or OS_* variables.",
    ),
    cfg.StrOpt("region_name", help="The region, where keystone knows several."),
    cfg.StrOpt(
        "interface",
        default="internal",
        choices=["internal", "public", "admin"],
        help="Which endpoints to use, with keystoneauth's options; clouds.yaml says "
        "it itself.",
    ),
]

DETECTION = cfg.OptGroup("detection", title="Detection", help="When a host looks dead.")
DETECTION_OPTS = [
    cfg.FloatOpt(
        "poll_interval",
        default=10.0,
        min=0.1,
        help="Seconds between two looks at the compute services in quiet times.",
    ),
    cfg.FloatOpt(
        "down_time",
        default=_DEFAULTS.down_time,
        min=1.0,
        help="Seconds without a heartbeat after which a service that Nova calls down "
        "is suspected, at least. A forced-down one is suspected at once. When every "
        "service is silent for half of it, the trigger holds itself for blind: make "
        "it at least four times Nova's report_interval.",
    ),
    cfg.FloatOpt(
        "clock_skew",
        default=_DEFAULTS.clock_skew,
        min=0.0,
        help="Seconds by which the clocks of this host and of Nova's may differ.",
    ),
    cfg.FloatOpt(
        "witness_interval",
        default=_DEFAULTS.witness_interval,
        min=1.0,
        help="Seconds between two questions to witnesses that do not agree.",
    ),
]

GUARD = cfg.OptGroup(
    "guard",
    title="Guard",
    help="How many hosts may die before the trigger holds itself for blind and "
    "fences nothing more. Shares are rounded down, and allow one host at least.",
)
GUARD_OPTS = [
    cfg.IntOpt(
        "max_hosts",
        default=_DEFAULTS.max_hosts,
        min=0,
        help="Hosts in a window. 0: nothing is ever fenced without a person.",
    ),
    cfg.IntOpt(
        "max_zone_percent",
        default=_DEFAULTS.max_zone_percent,
        min=0,
        max=100,
        help="Percent of a storage zone's hosts in a window.",
    ),
    cfg.IntOpt(
        "max_cloud_percent",
        default=_DEFAULTS.max_cloud_percent,
        min=0,
        max=100,
        help="Percent of all hosts in a window.",
    ),
    cfg.FloatOpt(
        "window", default=_DEFAULTS.guard_window, min=0.0, help="The window's seconds."
    ),
    cfg.FloatOpt(
        "cooldown",
        default=_DEFAULTS.guard_cooldown,
        min=0.0,
        help="Seconds for which nothing is fenced after the guard has tripped.",
    ),
]

EVACUATION = cfg.OptGroup(
    "evacuation", title="Evacuation", help="Which servers move, and how many at once."
)
EVACUATION_OPTS = [
    cfg.BoolOpt(
        "protect_all_servers",
        default=_DEFAULTS.protect_all_servers,
        help="Evacuate all servers of a protected host, not only those whose flavor "
        "has ha=true.",
    ),
    cfg.BoolOpt(
        "tenant_raises",
        default=_DEFAULTS.tenant_raises,
        help="Let a server's metadata, which its tenant writes, raise what its flavor "
        "says of ha:recovery and ha:priority; it can always lower it.",
    ),
    cfg.FloatOpt(
        "follow_interval",
        default=3.0,
        min=0.1,
        help="Seconds between two looks at the cloud while a recovery is under way.",
    ),
    cfg.IntOpt(
        "max_in_flight",
        default=_DEFAULTS.max_in_flight,
        min=1,
        help="Evacuations under way at most.",
    ),
    cfg.IntOpt(
        "max_in_flight_per_zone",
        default=_DEFAULTS.max_in_flight_per_zone,
        min=1,
        help="The same for each storage zone that they go to.",
    ),
    cfg.IntOpt(
        "workers",
        default=16,
        min=1,
        help="Requests to Nova and to fence devices at the same time.",
    ),
    cfg.IntOpt(
        "attempts",
        default=_DEFAULTS.attempts,
        min=1,
        help="How many times Nova is asked for one server.",
    ),
    cfg.FloatOpt(
        "retry_interval",
        default=_DEFAULTS.retry_interval,
        min=0.0,
        help="Seconds between two attempts.",
    ),
    cfg.FloatOpt(
        "settle",
        default=_DEFAULTS.settle,
        min=1.0,
        help="Seconds for which a request whose answer was lost may still take "
        "effect. Not less than the time-out of any proxy in front of Nova.",
    ),
    cfg.FloatOpt(
        "task_state_grace",
        default=_DEFAULTS.task_state_grace,
        min=0.0,
        help="Seconds until a server whose task does not end is left.",
    ),
    cfg.FloatOpt(
        "check_time",
        default=_DEFAULTS.check_time,
        min=1.0,
        help="Seconds that a landed server has to run with its volumes and ports.",
    ),
    cfg.FloatOpt(
        "slow_after",
        default=_DEFAULTS.slow_after,
        min=1.0,
        help="Seconds after which an evacuation under way is called slow; it is "
        "followed to its end all the same.",
    ),
    cfg.FloatOpt(
        "idle_interval",
        default=_DEFAULTS.idle_interval,
        min=1.0,
        help="Seconds between two looks at the servers of an incomplete host.",
    ),
    cfg.FloatOpt(
        "fence_interval",
        default=_DEFAULTS.fence_interval,
        min=1.0,
        help="Seconds between two attempts on a fence device that does not answer.",
    ),
    cfg.FloatOpt(
        "device_check_interval",
        default=_DEFAULTS.device_check_interval,
        min=0.0,
        help="Seconds between two checks of each fence device while all is well; one "
        "that does not answer is an event in the history. 0: no checks.",
    ),
    cfg.FloatOpt(
        "proof_age",
        default=_DEFAULTS.proof_age,
        min=1.0,
        help="Seconds after which an observed power-off is observed again before "
        "another server is asked for.",
    ),
]

NOTIFICATIONS = cfg.OptGroup(
    "notifications",
    title="Notifications",
    help="Nova's are listened to, and the history's events are sent (one for each, at "
    "least once, event type nova_ha.KIND), where [oslo_messaging_notifications] "
    "transport_url is set; events also need a driver there, messagingv2.",
)
NOTIFICATION_OPTS = [
    cfg.StrOpt(
        "topic",
        default="versioned_notifications",
        help="Nova's topic of versioned notifications; service.update is heeded.",
    ),
    cfg.StrOpt(
        "exchange",
        default="nova",
        help="Nova's control_exchange, which is the exchange of its notifications.",
    ),
    cfg.StrOpt(
        "pool",
        default="nova-ha-evacuator",
        help="The listeners' pool of its own, so that nobody loses a message to us.",
    ),
]

_GROUPS = (
    (CLOUD, CLOUD_OPTS),
    (DETECTION, DETECTION_OPTS),
    (GUARD, GUARD_OPTS),
    (EVACUATION, EVACUATION_OPTS),
    (NOTIFICATIONS, NOTIFICATION_OPTS),
)


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register all that nova-ha.conf may hold; doing so again does nothing."""
    for group, opts in _GROUPS:
        conf.register_group(group)
        conf.register_opts(opts, group=group)
    loading.register_auth_conf_options(conf, CLOUD.name)
    loading.register_session_conf_options(conf, CLOUD.name)
    scheduler_conf.register_opts(conf)
    fencing_conf.register_opts(conf)
    journal_conf.register_opts(conf)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    ours = [(group, list(opts)) for group, opts in _GROUPS]
    ours[0][1].extend(loading.get_auth_common_conf_options())
    ours[0][1].extend(loading.get_session_conf_options())
    ours[0][1].extend(loading.get_auth_plugin_conf_options("v3password"))
    return ours


def options(conf: cfg.ConfigOpts) -> Options:
    """What the options say to the engine; all are read, so a bad one shows here.

    :raises oslo_config.cfg.ConfigFileValueError: it names the option.
    """
    register_opts(conf)
    for group, opts in (*_GROUPS, (fencing_conf.GROUP, fencing_conf.OPTS)):
        for opt in opts:
            getattr(conf[group.name], opt.dest)
    detection, guard, evacuation = conf.detection, conf.guard, conf.evacuation
    return Options(
        policy=scheduler_conf.policy(conf),
        prefer_reserve=conf.ha_scheduler.failover_host_weight_multiplier > 0,
        protect_all_servers=evacuation.protect_all_servers,
        tenant_raises=evacuation.tenant_raises,
        down_time=detection.down_time,
        clock_skew=detection.clock_skew,
        witness_interval=detection.witness_interval,
        fence_interval=evacuation.fence_interval,
        proof_age=evacuation.proof_age,
        device_check_interval=evacuation.device_check_interval or math.inf,
        max_hosts=guard.max_hosts,
        max_zone_percent=guard.max_zone_percent,
        max_cloud_percent=guard.max_cloud_percent,
        guard_window=guard.window,
        guard_cooldown=guard.cooldown,
        max_in_flight=evacuation.max_in_flight,
        max_in_flight_per_zone=evacuation.max_in_flight_per_zone,
        attempts=evacuation.attempts,
        retry_interval=evacuation.retry_interval,
        settle=evacuation.settle,
        task_state_grace=evacuation.task_state_grace,
        check_time=evacuation.check_time,
        slow_after=evacuation.slow_after,
        idle_interval=evacuation.idle_interval,
    )
