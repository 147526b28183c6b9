# SPDX-License-Identifier: Apache-2.0
"""The options in nova-ha.conf about witnesses."""

from oslo_config import cfg

GROUP = cfg.OptGroup(
    "witnesses",
    title="Witnesses",
    help="Who must agree that a host is dead before it is fenced, besides Nova. In "
    "every text below, {host} stands for the name of the compute service's host, and "
    "$$ for $.",
)

OPTS = [
    cfg.ListOpt(
        "enabled",
        mutable=True,
        default=[],
        help="The witnesses that are asked: ping, tcp, prometheus, command, or one "
        "that another package brings under nova_ha_scheduler.witnesses. All of them "
        "must say that the host is dead; one that cannot tell delays its recovery. "
        "They are asked anew when the fence device has said that the host is off: one "
        "that then sees it alive holds up the evacuation.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=5.0,
        min=1.0,
        mutable=True,
        help="Seconds that a witness may take.",
    ),
    cfg.StrOpt(
        "address",
        mutable=True,
        default="{host}",
        help="ping, tcp: the address of a host, for example {host}.mgmt.example.org.",
    ),
    cfg.PortOpt(
        "tcp_port", default=22, mutable=True, help="tcp: the port to connect to."
    ),
    cfg.URIOpt(
        "prometheus_url",
        mutable=True,
        schemes=["http", "https"],
        help="prometheus: its address, for example http://192.0.2.5:9090.",
    ),
    cfg.StrOpt(
        "prometheus_query",
        mutable=True,
        default='up{instance="{host}:9100"}',
        help="prometheus: an instant query; all values 0: dead, any other: alive, no "
        "value: it cannot tell. Use = in it, not =~, which takes dots for anything.",
    ),
    cfg.StrOpt(
        "prometheus_authorization",
        mutable=True,
        secret=True,
        help="prometheus: the Authorization header, for example Bearer TOKEN.",
    ),
    cfg.StrOpt(
        "prometheus_ca_file",
        mutable=True,
        help="prometheus: CA certificates to check https with; else the system's.",
    ),
    cfg.StrOpt(
        "command",
        mutable=True,
        help="command: a program with its arguments, without a shell, for example "
        "/usr/local/bin/is-alive {host}. Exit code 0: alive, 1: dead, any other: it "
        "cannot tell.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; doing so again does nothing."""
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, OPTS)]
