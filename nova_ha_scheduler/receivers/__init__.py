# SPDX-License-Identifier: Apache-2.0
"""Messages to people: what the history tells, at whoever has to hear of it.

===================  ============================================================
conf, chosen_events  the options, and which events a receiver is told of
message              one event, or a summary of many
template             the JSON that a webhook wants
secret_files         passwords and the like, read when they are needed
webhook, smtp        one file a way; each sends, and can be tried without sending
===================  ============================================================

A receiver knows neither the journal nor the trigger; the service gives it its messages.
"""

import abc
from collections.abc import Iterator
from typing import ClassVar

from oslo_config import cfg

from nova_ha_scheduler.receivers.chosen_events import wanted
from nova_ha_scheduler.receivers.message import Message


class ReceiverError(Exception):
    """A message was not taken, as far as is known; a sentence without secrets."""


class ReceiverOptionError(cfg.Error):
    """The options of a receiver cannot be meant; the text names the option."""


class Receiver(abc.ABC):
    """One way to people.

    :cvar REQUIRED: options that have no default.
    :ivar kinds: the events that it is told of.
    """

    REQUIRED: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, options: cfg.ConfigOpts.GroupAttr) -> None:
        """:raises cfg.Error: an option is missing, or cannot be meant."""
        self.name, self.options = name, options
        for option in self.REQUIRED:
            if not options[option]:
                raise self.wrong(option, "is missing")
        try:
            self.kinds = wanted(options.kinds)
        except ValueError as error:
            raise self.wrong("kinds", f": {error}") from None

    def wrong(self, option: str, why: str) -> ReceiverOptionError:
        """An error of that option. :param why: the end of the sentence."""
        space = "" if why.startswith(":") else " "
        return ReceiverOptionError(f"[receiver_{self.name}] {option}{space}{why}")

    @property
    @abc.abstractmethod
    def place(self) -> str:
        """Where its messages go, for people; no secret."""

    @abc.abstractmethod
    def send(self, message: Message) -> str:
        """Send it, within about options.timeout seconds.

        :returns: what was wrong all the same; "": nothing.
        :raises ReceiverError: it was not taken, as far as is known.
        """

    @abc.abstractmethod
    def probe(self) -> None:
        """See whether a message would be taken, and send none.

        :raises ReceiverError: it would not.
        """

    def secret_files(self) -> Iterator[str]:
        """The files that nobody else may read."""
        yield from ()


def named(conf: cfg.ConfigOpts) -> dict[str, Receiver]:
    """The receivers of nova-ha.conf by their names, in the order that it has.

    :raises cfg.Error: an option is missing, or cannot be meant.
    """
    # Who has named none does not wait for the HTTP library.
    if not conf.messages.receivers:
        return {}
    from nova_ha_scheduler.receivers.smtp import Smtp
    from nova_ha_scheduler.receivers.webhook import Webhook

    types: dict[str, type[Receiver]] = {"webhook": Webhook, "smtp": Smtp}
    found = {}
    for name in conf.messages.receivers:
        options = conf[f"receiver_{name}"]
        if options.type is None:
            why = f"is missing: it is one of {', '.join(types)}"
            raise ReceiverOptionError(f"[receiver_{name}] type {why}")
        found[name] = types[options.type](name, options)
    return found
