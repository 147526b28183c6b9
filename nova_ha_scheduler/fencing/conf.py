# SPDX-License-Identifier: Apache-2.0
"""The options in nova-ha.conf about fencing."""

from oslo_config import cfg

GROUP = cfg.OptGroup(
    "fencing",
    title="Fencing",
    help="How hosts are powered off, before their servers are evacuated.",
)

OPTS = [
    cfg.StrOpt(
        "config_file",
        default="/etc/nova-ha-scheduler/fencing.yaml",
        mutable=True,
        help="The file that names a fencing method for each protected host. It holds "
        "credentials: it must belong to root or the service's user and be readable "
        "by its owner alone (chmod 0600). It is read again by itself when it changes.",
    ),
    cfg.FloatOpt(
        "power_off_timeout",
        default=120.0,
        mutable=True,
        min=1.0,
        help="Seconds that a power-off may take until the device says that the host "
        "is off. After that the host counts as not fenced, and is not evacuated.",
    ),
    cfg.FloatOpt(
        "request_timeout",
        default=20.0,
        mutable=True,
        min=0.1,
        help="Seconds that a fencing device may take for one answer.",
    ),
    cfg.FloatOpt(
        "refused_rest",
        default=1800.0,
        mutable=True,
        min=0.0,
        help="Seconds for which a fencing device that refuses the credentials is not "
        "asked again, as many lock an account after a few wrong passwords; the first "
        "time, 5 minutes at most. A fence agent that fails without saying why is asked "
        "after 30 seconds, and after twice as long each time, up to this. Each reading "
        "of the fencing file ends the rest.",
    ),
    cfg.IntOpt(
        "check_parallelism",
        default=8,
        min=1,
        help="How many fencing devices are checked at the same time while all is well.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; doing so again does nothing."""
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, OPTS)]
