# SPDX-License-Identifier: Apache-2.0
"""The options in nova-ha.conf about the journal; [database] is oslo.db's own."""

from oslo_config import cfg
from oslo_db import options as db_options

CONNECTION = "sqlite:////var/lib/nova-ha-scheduler/journal.sqlite"

_MAX_RETRIES = 0
"""oslo.db would try for minutes, at the start and in each command. systemd starts the
service again, and whatever it has begun tries again by itself."""

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
    cfg.BoolOpt(
        "keep_decisions",
        default=True,
        help="Keep, with each decision, the picture of the cloud and all "
        "else that it was made on, so that nova-ha replay can make it again. "
        "Compressed, that is about 25 KiB for each 1,000 hosts. It is written beside "
        "the recovery, which does not wait for it.",
    ),
    cfg.IntOpt(
        "decisions_size",
        default=256,
        min=1,
        help="MiB that kept decisions may take; then the oldest ones go. "
        "nova-ha history purge deletes old ones, too.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; doing so again does nothing."""
    conf.register_opts(OPTS, group=GROUP)
    db_options.set_defaults(conf, connection=CONNECTION)
    conf.set_default("max_retries", _MAX_RETRIES, group="database")


def set_defaults() -> None:
    """For oslo-config-generator."""
    cfg.set_defaults(
        db_options.database_opts, connection=CONNECTION, max_retries=_MAX_RETRIES
    )


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, OPTS)]
