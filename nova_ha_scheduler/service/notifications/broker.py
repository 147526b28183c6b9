# SPDX-License-Identifier: Apache-2.0
"""Notifications, where a broker for them is named; who has named none does not wait
for oslo.messaging, which takes long to import."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from oslo_config import cfg

from nova_ha_scheduler.health.troubles import Troubles
from nova_ha_scheduler.journal.outbox import Outbox
from nova_ha_scheduler.service.notifications.updates import Update

if TYPE_CHECKING:
    from nova_ha_scheduler.service.notifications.bus import Listener, Sender

GROUP = "oslo_messaging_notifications"


def configured(conf: cfg.ConfigOpts) -> bool:
    """Whether a broker is named; if so, the group's options are registered."""
    if GROUP not in conf and not _may_be_said(conf):
        return False
    register_opts(conf)
    return bool(conf[GROUP].transport_url)


def load(conf: cfg.ConfigOpts) -> None:
    """Import all that a broker wants, if one is named: in the main thread. With
    oslo.messaging comes eventlet, and whichever thread imports that first can never be
    joined: it makes a second ``threading``, which takes that thread for its own."""
    configured(conf)


def sends(conf: cfg.ConfigOpts) -> bool:
    """Whether the history's events go out: without a driver, they do not."""
    return configured(conf) and bool(conf[GROUP].driver)


def start_sender(
    conf: cfg.ConfigOpts, outbox: Outbox, active: Callable[[], bool], troubles: Troubles
) -> "Sender | None":
    """Send the history's events from now on; None: nobody wants them."""
    if not sends(conf):
        return None
    from nova_ha_scheduler.service.notifications.bus import Sender

    sender = Sender(conf, outbox, active, troubles)
    sender.start()
    return sender


def start_listener(
    conf: cfg.ConfigOpts, heard: Callable[[Update], None], troubles: Troubles
) -> "Listener | None":
    """Hear Nova's notifications until its stop(); None: there is no broker."""
    if not configured(conf):
        return None
    from nova_ha_scheduler.service.notifications.bus import Listener

    listener = Listener(conf, heard, troubles)
    listener.start()
    return listener


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register oslo.messaging's options of the group."""
    from oslo_messaging import opts

    from nova_ha_scheduler.service.notifications import bus  # noqa: F401 the first, see there

    known = {str(group): found for group, found in opts.list_opts()}
    conf.register_opts(known[GROUP], group=GROUP)


def _may_be_said(conf: cfg.ConfigOpts) -> bool:
    """Whether anything is said of the group, wherever oslo.config looks."""
    in_files = {section.lower() for section in conf.list_all_sections()}
    in_environment = f"OS_{GROUP}__transport_url".upper() in os.environ
    return GROUP in in_files or in_environment or bool(conf.config_source)
