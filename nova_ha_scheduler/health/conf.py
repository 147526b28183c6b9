# SPDX-License-Identifier: Apache-2.0
"""The options in nova-ha.conf about what monitoring reads."""

from oslo_config import cfg

DIRECTORY = "/run/nova-ha-scheduler"

GROUP = cfg.OptGroup("health", help="What monitoring may read; see docs/health.md.")

OPTS = [
    cfg.StrOpt(
        "directory",
        default=DIRECTORY,
        help="The directory in which each trigger, active or standing by, writes "
        "health.json every few seconds: what 'nova-ha health' says, for those who may "
        "read neither this file nor the journal. It has to exist, and the service's "
        "user has to be able to write there; everybody may read the file. Empty: no "
        "file is written.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; doing so again does nothing."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, OPTS)]
