# SPDX-License-Identifier: Apache-2.0
"""The options in nova-ha.conf about messages to people.

Each receiver has a section of its own, ``[receiver_NAME]``, with the options of its
type; [messages] receivers names them.
"""

from oslo_config import cfg, types

from nova_ha_scheduler.receivers.chosen_events import DEFAULT

GROUP = cfg.OptGroup(
    "messages",
    title="Messages to people",
    help="Who hears of what the history tells. Each receiver that is named here has a "
    "section [receiver_NAME]. Every event is sent at least once, in order, with its "
    "number, also after the receiver or the trigger was down; docs/messages.md.",
)

OPTS = [
    cfg.ListOpt(
        "receivers",
        default=[],
        item_type=types.String(regex=r"^[a-z0-9][a-z0-9_-]{0,39}$"),
        help="The names of the receivers, of small letters, digits, - and _: oncall, "
        "mail. A new one hears of what happens from then on.",
    ),
    cfg.StrOpt(
        "cloud",
        default="",
        help="What this cloud is called in each message, for people who look after "
        "several.",
    ),
]

PREFIX = "receiver_"

SAMPLE = cfg.OptGroup(
    f"{PREFIX}name",
    title="One receiver",
    help="Of each receiver that [messages] receivers names, which stands in the "
    "place of name. Files that are named here are read for each message, so that they "
    "can be changed without a restart.",
)

_COMMON = [
    cfg.StrOpt("type", choices=["webhook", "smtp"], help="How it is told."),
    cfg.ListOpt(
        "kinds",
        default=[*DEFAULT],
        help="Which events it is told of: kinds as nova-ha history events shows them "
        "(host.fenced), all that begin alike (host.*), troubles, or all. troubles are "
        "those that an operator should hear of; docs/messages.md lists them.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=10.0,
        min=0.1,
        help="Seconds that it may take for one message.",
    ),
    cfg.IntOpt(
        "per_minute",
        default=20,
        min=1,
        help="Messages in a minute, each of one event. What is more is summed up: one "
        "message in 10 seconds, which names all that has happened.",
    ),
    cfg.StrOpt(
        "ca_file",
        help="CA certificates to check its certificate with; else the system's.",
    ),
]

_WEBHOOK = [
    cfg.URIOpt(
        "url",
        schemes=["http", "https"],
        help="webhook: where each message is sent to, by POST. Where the address is a "
        "secret, as those of chat services are, use url_file.",
    ),
    cfg.StrOpt(
        "url_file",
        help="webhook: a file that holds the address and nothing else. The trigger's "
        "user reads it, and nobody else should (chmod 0400).",
    ),
    cfg.StrOpt(
        "headers_file",
        help="webhook: a file with headers that are sent, too, one in a line, for "
        "example Authorization: Bearer TOKEN. Likewise for nobody else.",
    ),
    cfg.StrOpt(
        "template_file",
        help="webhook: a file with the JSON that it wants, in which $subject, $text "
        "and so on stand for what there is to say (webhook.json.sample). Without one, "
        "it gets all there is as one object.",
    ),
]

_SMTP = [
    cfg.HostAddressOpt("host", help="smtp: the mail server."),
    cfg.PortOpt(
        "port", help="smtp: its port. Default: 465 with security = tls, 587, or 25."
    ),
    cfg.StrOpt(
        "security",
        default="starttls",
        choices=[
            ("starttls", "begin in the clear, and go no further without TLS"),
            ("tls", "TLS from the first byte"),
            ("none", "everything in the clear: for a server on this machine"),
        ],
        help="smtp: how the connection is protected.",
    ),
    cfg.StrOpt("username", help="smtp: who logs in; without, nobody does."),
    cfg.StrOpt(
        "password_file",
        help="smtp: a file that holds the password and nothing else. The trigger's "
        "user reads it, and nobody else should (chmod 0400).",
    ),
    cfg.StrOpt("sender", help="smtp: the address that messages are from."),
    cfg.ListOpt(
        "recipients", default=[], help="smtp: the addresses that messages go to."
    ),
]

OF_TYPE = {"webhook": [*_COMMON, *_WEBHOOK], "smtp": [*_COMMON, *_SMTP]}


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; doing so again does nothing."""
    conf.register_opts(OPTS, group=GROUP)
    # As the sample has it, so that a file which was made from it can be read.
    conf.register_opts([*_COMMON, *_WEBHOOK, *_SMTP], group=SAMPLE)


def register_named(conf: cfg.ConfigOpts) -> None:
    """Register the section of each receiver, which the file that was read names.

    :raises cfg.Error: it names the option.
    """
    for name in conf.messages.receivers:
        group = cfg.OptGroup(f"{PREFIX}{name}")
        conf.register_opts(_COMMON, group=group)
        conf.register_opts(OF_TYPE.get(conf[group.name].type, []), group=group)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, OPTS), (SAMPLE, [*_COMMON, *_WEBHOOK, *_SMTP])]
