# SPDX-License-Identifier: Apache-2.0
"""Notifications: Nova's wake the trigger, the history's events go out.

Both are conveniences: without a broker, recoveries go on by polling, and events wait
in the journal until they can be sent.
"""

import contextlib
import logging as python_logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging
from oslo_service import backend

from nova_ha_scheduler.cluster.openstack import fields, parse
from nova_ha_scheduler.cluster.openstack.fields import BadAnswer
from nova_ha_scheduler.health.troubles import Part, Trouble, Troubles, plainly
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.outbox import Outbox
from nova_ha_scheduler.printable import one_line
from nova_ha_scheduler.service.notifications import messages
from nova_ha_scheduler.service.notifications.messages import PassedOver
from nova_ha_scheduler.service.notifications.updates import (
    RebuildBegun,
    RebuildEnded,
    ServiceUpdate,
    Update,
)

if backend.get_backend_type() is None:  # else oslo.messaging makes it eventlet
    import cotyledon  # noqa: F401 its lack would be called an unknown backend

    backend.init_backend(backend.BackendType.THREADING)
import oslo_messaging  # noqa: E402

LOG = logging.getLogger(__name__)

PREFIX = "nova_ha."
"""Of the event types that go out."""

POOL = "nova-ha-evacuator"
"""The listeners' pool of its own, so that nobody loses a message to us."""

_RETRY_SECONDS = 5.0

_WARN_SECONDS = 60.0

_STALE_SECONDS = 60.0
"""Nobody was active when such a notification came; the first look has seen more."""


def read(event_type: str, payload: Any, metadata: Any) -> Update | None:
    """What a notification says, if it is one that is heeded.

    :raises BadAnswer: it is not as Nova makes them.
    """
    data = fields.fields(fields.fields(payload).get("nova_object.data"))
    sent_at = _sent_at(fields.fields(metadata).get("timestamp"))
    if time.time() - sent_at > _STALE_SECONDS:
        return None
    if event_type != "service.update":
        begun = event_type == "instance.rebuild.start"
        server = fields.identity(data, "uuid")
        return RebuildBegun(server) if begun else RebuildEnded(server)
    if fields.text(data, "binary") != "nova-compute":
        return None
    host, down = fields.name(data, "host"), fields.flag(data, "forced_down")
    return ServiceUpdate(host, down, sent_at)


def _sent_at(said: Any) -> float:
    """oslo.messaging writes the time as str() does, UTC."""
    now = time.time()
    with contextlib.suppress(BadAnswer):
        return min(now, parse.timestamp(said) or now)
    return now


class _Connections(python_logging.Handler):
    """Whether the broker is there: oslo.messaging connects again by itself, and tells
    of that in its log alone (oslo_messaging._drivers.impl_rabbit)."""

    LOGGER = "oslo.messaging._drivers.impl_rabbit"

    def __init__(self, troubles: Troubles) -> None:
        super().__init__(python_logging.INFO)
        self._troubles = troubles

    def emit(self, record: python_logging.LogRecord) -> None:
        words = record.getMessage()
        if record.levelno >= python_logging.ERROR:
            self._troubles.begins(Trouble.LISTENER, words)
        elif "] Reconnected to" in words:
            self._troubles.is_over(Trouble.LISTENER)


class Listener:
    """Hears Nova's notifications, in threads of its own.

    For the active trigger alone: another one of its pool would take them from it.
    oslo.messaging's endpoint for what it heeds.
    """

    filter_rule = oslo_messaging.NotificationFilter(
        event_type=r"^(service\.update|instance\.rebuild\.(start|end|error))$"
    )

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        heard: Callable[[Update], None],
        troubles: Troubles,
    ) -> None:
        """:param heard: called from such a thread."""
        self._conf, self._heard, self._troubles = conf, heard, troubles
        self._connections = _Connections(troubles)
        self._passed_over = PassedOver(self._warn)
        self._ended = threading.Event()
        self._unread, self._quiet_until = 0, 0.0

    def start(self) -> None:
        """Return at once: a broker that is away is waited for without anybody."""
        messages.bound()
        self._passed_over.begin()
        python_logging.getLogger(_Connections.LOGGER).addHandler(self._connections)
        threading.Thread(target=self._run, name="listener", daemon=True).start()

    def stop(self) -> None:
        self._passed_over.end()
        python_logging.getLogger(_Connections.LOGGER).removeHandler(self._connections)
        self._ended.set()

    def info(self, *notification: Any) -> None:
        """It is given context, publisher, event type, payload and metadata.

        It never raises: oslo.messaging would deliver the same again and again.
        """
        try:
            *_, event_type, payload, metadata = notification
            if update := read(event_type, payload, metadata):
                self._heard(update)
        except Exception as error:  # anybody may have sent it
            self._warn(error)

    def _warn(self, error: object) -> None:
        """Once in a while: they may come by the second."""
        self._unread += 1
        if time.monotonic() < self._quiet_until:
            return
        self._quiet_until = time.monotonic() + _WARN_SECONDS
        words = "%d notifications cannot be read and are passed over; the newest: %s"
        plainly(LOG.warning, words, self._unread, one_line(error))

    error = info

    def _run(self) -> None:
        options = self._conf.notifications
        target = oslo_messaging.Target(topic=options.topic, exchange=options.exchange)
        while not self._ended.is_set():
            try:
                transport = oslo_messaging.get_notification_transport(self._conf)
                listener = oslo_messaging.get_notification_listener(
                    transport, [target], [self], executor="threading", pool=POOL
                )
                listener.start()
                self._troubles.is_over(Trouble.LISTENER)
                self._ended.wait()
                listener.stop()
            except Exception as error:
                self._troubles.begins(Trouble.LISTENER, error)
                self._ended.wait(_RETRY_SECONDS)


class Sender:
    """Sends the journal's events in their order, each one at least once."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        outbox: Outbox,
        active: Callable[[], bool],
        troubles: Troubles,
    ) -> None:
        """:param active: whether this trigger is the one that sends."""
        self._conf, self._outbox, self._active = conf, outbox, active
        self._troubles = troubles
        self._news = threading.Event()

    def start(self) -> None:
        try:
            self._outbox.begin()
        except JournalError as error:
            LOG.warning("Events from before this start may be sent again: %s", error)
        threading.Thread(target=self._run, name="sender", daemon=True).start()

    def wake(self) -> None:
        """There are new events."""
        self._news.set()

    def _run(self) -> None:
        notifier: Any = None
        while True:
            self._news.wait(_RETRY_SECONDS)
            self._news.clear()
            try:
                notifier = notifier or self._notifier()
                while self._active():
                    events = self._outbox.pending()
                    # Before the broker is asked, which may be away for long.
                    self._troubles.is_over(Trouble.JOURNAL, Part.OUTBOX)
                    if not events:
                        break
                    for _, event in events:
                        kind = event.kind.value
                        payload = {**asdict(event), "kind": kind}
                        notifier.info({}, PREFIX + kind, payload)
                    self._outbox.sent(events[-1][0])
                    self._troubles.is_over(Trouble.SENDER)
            except JournalError as error:
                self._troubles.begins(Trouble.JOURNAL, error, Part.OUTBOX)
            except Exception as error:
                self._troubles.begins(Trouble.SENDER, error)

    def _notifier(self) -> oslo_messaging.Notifier:
        """:raises Exception: transport_url is none, say."""
        name = f"nova-ha-evacuator:{socket.gethostname()}"
        transport = oslo_messaging.get_notification_transport(self._conf)
        # Without end, so that the call returns when the broker has the message, and
        # not before. Not -1: where no connection was ever made, that is none at all.
        return oslo_messaging.Notifier(transport, publisher_id=name, retry=sys.maxsize)
