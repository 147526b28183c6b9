# SPDX-License-Identifier: Apache-2.0
"""The options in nova-ha.conf about words that are given through a directory."""

from oslo_config import cfg

from nova_ha_scheduler.spool.word import DIRECTORY

GROUP = cfg.OptGroup("words", help="Who may say that a host is off; see docs.")

OPTS = [
    cfg.StrOpt(
        "directory",
        default=DIRECTORY,
        help="The directory from which each trigger, active or standing by, takes the "
        "words of nova-ha-pacemaker-alert, and of 'nova-ha confirm-fenced' by who may "
        "not read this file. Whoever can write there can have hosts evacuated: its "
        "mode is 1730, its owner the service's user, its group that of those who may "
        "give a word. If it does not exist, no words are taken.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; doing so again does nothing."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, OPTS)]
