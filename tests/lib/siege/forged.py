# SPDX-License-Identifier: Apache-2.0
"""What looks like Nova's notifications, and comes from whoever reaches its broker."""

import bz2
import datetime
import functools
import lzma
import random
import zlib
from collections.abc import Iterable
from typing import Any

import amqp

from tests.lib.siege import grammar
from tests.lib.siege.grammar import Grammar

_BOMB_MIB = 96
_EXCHANGE, _KEY = "nova", "versioned_notifications.info"


JSON = {"content_type": "application/json", "content_encoding": "utf-8"}


def publish(port: int, messages: Iterable[amqp.Message]) -> None:
    """Send them where Nova sends its own; return when the broker has them all.

    :param port: the broker's.
    """
    login = {"userid": "guest", "password": "guest", "confirm_publish": True}
    with amqp.Connection(f"127.0.0.1:{port}", **login) as connection:
        channel = connection.channel()
        # As oslo.messaging declares it; the trigger may not be there yet.
        channel.exchange_declare(_EXCHANGE, "topic", auto_delete=False, durable=False)
        for message in messages:
            channel.basic_publish(message, _EXCHANGE, _KEY)


def send(port: int, seed: int, count: int, hosts: list[str]) -> None:
    """Send so many forged ones, as a seed has it."""
    numbers = random.Random(f"{seed} forged")
    publish(port, (_message(numbers, hosts) for _ in range(count)))


def _message(numbers: random.Random, hosts: list[str]) -> amqp.Message:
    """From what is no JSON to what Nova might have sent of a host that lives."""
    made, kind = Grammar(numbers), numbers.random()
    if kind < 0.1:
        types = ("application/json", "text/plain", "application/x-python-serialize", "")
        body = numbers.randbytes(numbers.randrange(2000))
        return amqp.Message(
            body,
            content_type=numbers.choice(types),
            content_encoding=numbers.choice(("utf-8", "binary", "gzip", "utf-16")),
        )
    if kind < 0.11:
        name, packed = numbers.choice(_bombs())
        return as_json(packed, application_headers={"compression": name})
    if kind < 0.2:
        return as_json(grammar.text(made.junk(3)))
    inner = _notification(numbers, hosts)
    if kind < 0.9:
        inner = made.several(inner)
    outer: Any = {"oslo.version": "2.0", "oslo.message": grammar.text(inner).decode()}
    return as_json(grammar.text(outer if kind > 0.3 else made.several(outer)))


def as_json(body: bytes, **more: Any) -> amqp.Message:
    return amqp.Message(body, **JSON, **more)


@functools.cache
def _bombs() -> list[tuple[str, bytes]]:
    """Some hundred KiB each, or less, that are a hundred MiB."""
    packers: dict[str, Any] = {
        "application/x-gzip": zlib.compressobj(),
        "application/x-bz2": bz2.BZ2Compressor(),
        "application/x-lzma": lzma.LZMACompressor(preset=0),
    }
    found, some = [("no such packing", b"{}")], bytes(1 << 20)
    for name, packer in packers.items():
        packed = b"".join(packer.compress(some) for _ in range(_BOMB_MIB))
        found.append((name, packed + packer.flush()))
    return found


def _notification(numbers: random.Random, hosts: list[str]) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat(" ")
    ghost = f"ghost{numbers.randrange(10_000)}"
    host = numbers.choice((ghost, numbers.choice(hosts)))
    data: dict[str, Any] = {"host": host, "binary": "nova-compute", "forced_down": True}
    kind = "service.update"
    if numbers.random() < 0.4:
        data = {"uuid": f"{numbers.randrange(16**8):08x}-0000-4000-8000-000000000000"}
        kind = numbers.choice(("instance.rebuild.end", "instance.rebuild.error"))
    return {
        "message_id": f"{numbers.randrange(16**8):x}",
        "publisher_id": f"nova-compute:{host}",
        "event_type": kind,
        "priority": "INFO",
        "payload": {"nova_object.name": "X", "nova_object.data": data},
        "timestamp": now,
        "_unique_id": f"{numbers.randrange(16**16):x}",
    }
