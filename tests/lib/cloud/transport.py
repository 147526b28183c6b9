# SPDX-License-Identifier: Apache-2.0
"""An in-memory oslo.messaging driver that wakes its listeners.

oslo.messaging's own ``fake://`` polls every 50 ms in a thread for each listener; with
hundreds of computes that eats the machine. Here the sender hands a message straight
to the listener's executor, so listeners have no threads and an idle cloud is idle.
What a real broker does to messages is kept: they are JSON on the way, exceptions
travel as data, and what is sent to a dead server waits in its queue.

``local:///NAME`` is the broker NAME; plain ``local:///`` is the broker of the cell
whose code is running (:mod:`tests.lib.cloud.cells`).
"""

import collections
import importlib.metadata
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import oslo_messaging
from oslo_messaging._drivers import base, common
from oslo_serialization import jsonutils
from stevedore.extension import ExtensionManager

from tests.lib.cloud import cells

SCHEME = "local"
_GROUP = "oslo.messaging.drivers"
_HEARTBEAT = object()


class _Message(base.RpcIncomingMessage):
    """A request as its server sees it; ``replies`` is None for a cast."""

    def __init__(self, text: str, replies: Any, client_timeout: float | None) -> None:
        content = jsonutils.loads(text)
        super().__init__(content["context"], content["message"])
        self._replies = replies
        self.client_timeout = client_timeout

    def reply(self, reply: Any = None, failure: Any = None) -> None:
        if self._replies is None:
            return
        error = common.serialize_remote_exception(failure) if failure else None
        self._replies.put((jsonutils.dumps(reply), error))

    def heartbeat(self) -> None:
        if self._replies is not None:
            self._replies.put(_HEARTBEAT)

    def requeue(self) -> None:
        raise NotImplementedError


class _Listener(base.Listener):
    """What an RPC server registers: it is called, it does not poll."""

    def __init__(self, broker: "_Broker", topic: str, server: str) -> None:
        super().__init__(batch_size=1, batch_timeout=None)
        self._broker = broker
        self.topic, self.server = topic, server

    def start(self, on_incoming_callback: Callable[[list[Any]], None]) -> None:
        super().start(on_incoming_callback)
        self._broker.subscribe(self)

    def stop(self) -> None:
        self._broker.unsubscribe(self)
        super().stop()

    def cleanup(self) -> None:
        """Nothing is held."""


class _Broker:
    """Listeners by topic, and the queues of those who do not listen now."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._topics: dict[str, list[_Listener]] = collections.defaultdict(list)
        self._waiting: dict[tuple[str, str | None], list[_Message]] = (
            collections.defaultdict(list)
        )

    def subscribe(self, listener: _Listener) -> None:
        with self._lock:
            self._topics[listener.topic].append(listener)
            for server in (listener.server, None):
                for message in self._waiting.pop((listener.topic, server), ()):
                    listener.on_incoming_callback([message])

    def unsubscribe(self, listener: _Listener) -> None:
        with self._lock:
            if listener in self._topics[listener.topic]:
                self._topics[listener.topic].remove(listener)

    def listeners(self) -> dict[str, list[_Listener]]:
        """By topic."""
        with self._lock:
            return {topic: list(found) for topic, found in self._topics.items()}

    def publish(self, target: Any, make: Callable[[], _Message]) -> None:
        with self._lock:
            listeners = self._topics[target.topic]
            if target.fanout:
                chosen = list(listeners)
            elif target.server:
                chosen = [x for x in listeners if x.server == target.server][:1]
            else:
                chosen = listeners[:1]
                listeners[:] = listeners[1:] + chosen  # the next one is next
            for listener in chosen:
                listener.on_incoming_callback([make()])
            if not chosen and not target.fanout:
                self._waiting[target.topic, target.server].append(make())


_brokers: dict[str, _Broker] = collections.defaultdict(_Broker)


def topics(server: str) -> set[str]:
    """The topics on which a server listens: with its name, they are its queues."""
    return {
        topic
        for broker in _brokers.values()
        for topic, listeners in broker.listeners().items()
        if any(listener.server == server for listener in listeners)
    }


class Driver(base.BaseDriver):
    """The driver behind ``local://``."""

    def _broker(self) -> tuple[str, _Broker]:
        name = self._url.virtual_host or cells.current_name()
        return name, _brokers[name]

    def send(
        self,
        target: Any,
        ctxt: dict[str, Any],
        message: dict[str, Any],
        wait_for_reply: bool | None = None,
        timeout: float | None = None,
        call_monitor_timeout: float | None = None,
        retry: int | None = None,
        transport_options: Any = None,
    ) -> Any:
        name, broker = self._broker()
        context = {**ctxt, cells.CONTEXT_KEY: name}
        text = jsonutils.dumps({"context": context, "message": message})
        replies: Any = queue.Queue() if wait_for_reply else None
        broker.publish(target, lambda: _Message(text, replies, call_monitor_timeout))
        if not wait_for_reply:
            return None
        reply, error = self._wait(target, replies, timeout, call_monitor_timeout)
        if error is not None:
            raise common.deserialize_remote_exception(
                error, self._allowed_remote_exmods
            )
        return jsonutils.loads(reply)

    @staticmethod
    def _wait(
        target: Any, replies: Any, timeout: float | None, silence: float | None
    ) -> Any:
        """Return the reply; give up after ``timeout``, or ``silence`` of the server."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            limits = [] if end is None else [max(0.0, end - time.monotonic())]
            limits += [] if silence is None else [silence]
            try:
                reply = replies.get(timeout=min(limits, default=None))
            except queue.Empty:
                raise oslo_messaging.MessagingTimeout(
                    f"No reply on topic {target.topic} from {target.server}"
                ) from None
            if reply is not _HEARTBEAT:
                return reply

    def send_notification(
        self,
        target: Any,
        ctxt: dict[str, Any],
        message: dict[str, Any],
        version: float,
        retry: int | None = None,
    ) -> None:
        """Drop it: nobody listens for notifications here."""

    def listen(self, target: Any, batch_size: int, batch_timeout: Any) -> _Listener:
        return _Listener(self._broker()[1], target.topic, target.server)

    def listen_for_notifications(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def cleanup(self) -> None:
        """Brokers live as long as the process."""


def register() -> None:
    """Make ``local://`` known to oslo.messaging without an installed entry point."""
    manager: Any = ExtensionManager.make_test_instance([], namespace=_GROUP)
    known = manager.list_entry_points()
    if all(point.name != SCHEME for point in known):
        value = f"{__name__}:{Driver.__name__}"
        known.append(importlib.metadata.EntryPoint(SCHEME, value, _GROUP))
