# SPDX-License-Identifier: Apache-2.0
"""The options in nova-ha.conf about the journal; [database] is oslo.db's own."""

from oslo_config import cfg
from oslo_db import options as db_options

CONNECTION = "sqlite:////var/lib/nova-ha-scheduler/journal.sqlite"

GROUP = cfg.OptGroup(
    "journal",
    title="Journal",
    help="The database of [database] connection, in which the trigger writes what it "
    "means to do before it does it. sqlite serves one trigger on one machine; on a "
    "network file system it is not safe.",
)

OPTS = [
    cfg.FloatOpt(
        "lease_timeout",
        default=15.0,
        min=0.5,
        help="Seconds without a sign of life from the active trigger after which "
        "another one that was started on the same journal takes over. A trigger that "
        "crashed waits as long when it is started again.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; doing so again does nothing."""
    conf.register_opts(OPTS, group=GROUP)
    db_options.set_defaults(conf, connection=CONNECTION)


def set_defaults() -> None:
    """For oslo-config-generator."""
    cfg.set_defaults(db_options.database_opts, connection=CONNECTION)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, OPTS)]
