# SPDX-License-Identifier: Apache-2.0
"""What comes over Nova's message bus: anybody may have sent it.

A message is bounded before oslo.messaging's driver for RabbitMQ reads it, which unpacks
and decodes whatever it is. One that cannot be read is passed over, and is no reason to
say that nothing can be heard, nor to write a traceback for each.
"""

import bz2
import logging as python_logging
import zlib
from collections.abc import Callable
from typing import Any

MESSAGE_BYTES = 4 * 1024 * 1024
"""Of one message, unpacked: Nova's have some KiB."""

_PASSED_OVER = {
    "oslo.messaging._drivers.impl_rabbit": "Failed to process message",
    "oslo_messaging.notify.listener": "Exception during message handling",
    "oslo_messaging.notify.dispatcher": "Unknown priority",
    "oslo_messaging._drivers.amqpdriver": "ignoring duplicate message",
}
"""What oslo.messaging says of one message, by its logger, with a traceback each."""

_PACKINGS: dict[str, Callable[[], Any]] = {
    "application/x-gzip": zlib.decompressobj,
    "application/x-bz2": bz2.BZ2Decompressor,
}
"""Those that [oslo_messaging_rabbit] kombu_compression knows."""

_OTHERS = ("application/x-lzma", "application/x-brotli", "application/zstd")
"""What else kombu unpacks, whoever asks it to."""


def bound() -> None:
    """Bound what this process reads of a message; again does nothing more."""
    from kombu import compression, serialization
    from kombu.utils import json as kombu_json

    def decode(text: Any) -> Any:
        return kombu_json.loads(_small(text))

    as_json = "application/json", "utf-8"
    serialization.register("json", kombu_json.dumps, decode, *as_json)
    for name, make in _PACKINGS.items():
        encode, _ = compression.get_encoder(name)
        compression.register(encode, _unpacker(make), name)
    for name in _OTHERS:
        compression.register(_refuse, _refuse, name)


def _small(said: Any) -> Any:
    if len(said) > MESSAGE_BYTES:
        raise ValueError(f"the message has more than {MESSAGE_BYTES} bytes")
    return said


def _unpacker(make: Callable[[], Any]) -> Callable[[bytes], bytes]:
    def unpack(packed: bytes) -> bytes:
        found: bytes = make().decompress(packed, MESSAGE_BYTES + 1)
        return bytes(_small(found))

    return unpack


def _refuse(_: bytes) -> bytes:
    raise ValueError("the message is packed in a way that Nova does not know")


class PassedOver(python_logging.Filter):
    """Takes what oslo.messaging says of single messages out of its log."""

    def __init__(self, tell: Callable[[object], None]) -> None:
        """:param tell: is given what was wrong with one; called from any thread."""
        super().__init__()
        self._tell = tell

    def begin(self) -> None:
        for name in _PASSED_OVER:
            python_logging.getLogger(name).addFilter(self)

    def end(self) -> None:
        for name in _PASSED_OVER:
            python_logging.getLogger(name).removeFilter(self)

    def filter(self, record: python_logging.LogRecord) -> bool:
        if not str(record.msg).startswith(_PASSED_OVER[record.name]):
            return True
        error = record.exc_info[1] if record.exc_info else None
        self._tell(error or record.getMessage())
        return False
