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
    cfg.PortOpt(
        "port",
        min=1,
        help="The TCP port at which each trigger, active or standing by, serves the "
        "page for people (/), /metrics for Prometheus, /healthcheck and /status.json. "
        "Whoever reaches the port may read the names of hosts and servers, and why "
        "something is not recovered; nothing can be ordered there. Not set: no port "
        "is opened. 9791 is as good as any.",
    ),
    cfg.IPOpt(
        "bind_host",
        default="127.0.0.1",
        help="The address of this machine at which the port is opened. :: and 0.0.0.0 "
        "are all of them: then set cert_file, key_file and ca_file, too, or let a "
        "firewall say who may ask.",
    ),
    cfg.StrOpt(
        "cert_file",
        default="",
        help="A certificate (PEM, with those between it and its authority): the port "
        "speaks TLS alone. Read again when the file changes. Empty: no TLS.",
    ),
    cfg.StrOpt(
        "key_file",
        default="",
        help="The certificate's private key (PEM, without a password). Empty: it is "
        "in cert_file.",
    ),
    cfg.StrOpt(
        "ca_file",
        default="",
        help="Authorities (PEM): whoever asks has to show a certificate of one of "
        "them. Empty: nobody has to. Only with cert_file.",
    ),
    cfg.FloatOpt(
        "capacity_interval",
        default=600.0,
        min=0,
        help="Seconds after which the active trigger works out anew how many failures "
        "each zone tolerates, for the page and the metrics, as 'nova-ha capacity' "
        "does. It looks at the whole cloud for that, in a process of its own, and puts "
        "it off by up to as long while a recovery is under way. 0: never. Without a "
        "port, it is not done.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; doing so again does nothing."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, OPTS)]
