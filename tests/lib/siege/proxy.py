# SPDX-License-Identifier: Apache-2.0
"""Stands before a peer of the trigger, and spoils what the peer answers."""

import functools
import gzip
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.lib.siege import grammar
from tests.lib.siege.grammar import Grammar
from tests.lib.stack.gate import Answer, Gate, Request, Rule

_BOMB_MIB = 96
"""Of zeros, in some hundred KiB."""

_DRIP_SECONDS = 8.0
"""Longer than the trigger waits for an answer here."""

_CODES = (
    *(200, 201, 204, 206, 300, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 413),
    *(418, 422, 429, 431, 500, 501, 502, 503, 504, 511, 599, 600, 999),
)
_TYPES = (
    *("text/html", "application/xml", "image/png", "", "application/json; charset=x"),
    *("application/json; charset=rot13", "text/html; charset=utf-7", "\xff/\xfe"),
    *("application/json; charset=utf-16", "multipart/form-data; boundary="),
)
_PLACES = (
    *("http://192.0.2.1/", "//", "http://[", "file:///etc/passwd", "", "?", "\xff"),
    *("https://127.0.0.1:1/", "http://127.0.0.1:99999/", "ftp://x/", "/" * 5000),
)


@dataclass(frozen=True)
class Mood:
    """How hostile the peers are.

    :ivar share: of the answers that are spoilt, from 0 to 1.
    :ivar broken: of these, the share that is no answer of the service at all; the
        others are what it says, spoilt in a few places.
    :ivar about: what is spoilt is an object or a key of which that is so; None: any.
    """

    share: float = 0.0
    broken: float = 0.0
    about: Callable[[Any], bool] | None = None


CALM = Mood()


class Choices:
    """What becomes of a request: by the seed, what it is, and how often it came."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._times: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.mood = CALM
        self.spoilt: Counter[str] = Counter()
        """How many answers were, by what was done."""

    def of(self, name: str, request: Request) -> random.Random:
        """Numbers of its own: threads ask in an order that no seed decides."""
        what = f"{name} {request.method} {request.path.partition('?')[0]}"
        with self._lock:
            self._times[what] += 1
            return random.Random(f"{self._seed} {what} {self._times[what]}")

    def count(self, what: str) -> None:
        with self._lock:
            self.spoilt[what] += 1


class Proxy(Gate):
    """One proxy.

    :ivar choices: of the seed that it goes by now.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._name = name
        self._addresses: Mapping[bytes, bytes] = {}
        self.choices = Choices(0)

    def instead_of(self, addresses: Mapping[str, str]) -> None:
        """Whoever is told one of these addresses is told another one."""
        found = addresses.items()
        self._addresses = {ours.encode(): its.encode() for ours, its in found}

    def admit(self, request: Request) -> Rule | None:
        """Some requests never arrive, and are answered all the same."""
        if (rule := super().admit(request)) is not None:
            return rule
        mood, numbers = self.choices.mood, self.choices.of("to " + self._name, request)
        refused = request.method != "GET" and mood.about is None
        if refused and numbers.random() < mood.share * mood.broken / 2:
            self.choices.count("refused")
            return Rule("answer", status=numbers.choice(_CODES))
        return None

    def turn(self, request: Request, answer: Answer) -> Answer | Iterable[bytes]:
        body = answer.body
        for ours, its in self._addresses.items():
            body = body.replace(ours, its)
        answer = answer._replace(body=body)
        mood, numbers = self.choices.mood, self.choices.of(self._name, request)
        if numbers.random() >= mood.share:
            return answer
        if numbers.random() < mood.broken:
            way = numbers.choice(_WAYS)
            self.choices.count(way.__name__.strip("_"))
            return way(numbers, request, answer)
        return self._spoil(mood, numbers, answer)

    def _spoil(self, mood: Mood, numbers: random.Random, answer: Answer) -> Answer:
        try:
            said = json.loads(answer.body)
        except ValueError:
            return answer
        found = Grammar(numbers, mood.about is None).several(said, mood.about)
        if found is said:
            return answer
        self.choices.count("spoilt")
        return answer._replace(body=grammar.text(found))


# No answers of the service.


def _noise(numbers: random.Random, request: Request, answer: Answer) -> Answer:
    return answer._replace(body=numbers.randbytes(numbers.randrange(4096)))


def _cut(numbers: random.Random, request: Request, answer: Answer) -> Answer:
    return answer._replace(body=answer.body[: numbers.randrange(len(answer.body) + 1)])


def _another_shape(numbers: random.Random, request: Request, answer: Answer) -> Answer:
    return answer._replace(body=grammar.text(Grammar(numbers).junk(3)))


def _another_code(numbers: random.Random, request: Request, answer: Answer) -> Answer:
    return answer._replace(status=numbers.choice(_CODES))


def _another_type(numbers: random.Random, request: Request, answer: Answer) -> Answer:
    return _with(answer, {"Content-Type": numbers.choice(_TYPES)})


def _elsewhere(numbers: random.Random, request: Request, answer: Answer) -> Answer:
    to = numbers.choice((*_PLACES, request.path))
    status = numbers.choice((300, 301, 302, 303, 305, 307, 308))
    return _with(answer, {"Location": to})._replace(status=status)


@functools.cache
def _packed() -> bytes:
    return gzip.compress(bytes(_BOMB_MIB << 20))


def _bomb(numbers: random.Random, request: Request, answer: Answer) -> Answer:
    return _with(answer, {"Content-Encoding": "gzip"})._replace(body=_packed())


def _no_packing(numbers: random.Random, request: Request, answer: Answer) -> Answer:
    kind = numbers.choice(("gzip", "deflate", "br", "zstd", "x", "gzip, gzip"))
    return _with(answer, {"Content-Encoding": kind})


def _headers(numbers: random.Random, request: Request, answer: Answer) -> Answer:
    """Too many of them, too long ones, or many that just pass."""
    count, size = numbers.choice(((300, 10), (5, 70_000), (80, 8000)))
    return _with(answer, {f"X-{number}": "x" * size for number in range(count)})


def _pages(numbers: random.Random, request: Request, answer: Answer) -> Answer:
    """A list that goes on where it was, or where nobody can follow."""
    to = numbers.choice((request.path, *_PLACES))
    links = numbers.choice(([{"rel": "next", "href": to}], [{"rel": "next"}], 7, ["x"]))
    try:
        said = json.loads(answer.body)
        more = {f"{key}_links": links for key in said}
    except (ValueError, TypeError):
        return answer
    return answer._replace(body=grammar.text({**said, **more}))


def _hangs_up(
    numbers: random.Random, request: Request, answer: Answer
) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + answer.body[:500]


def _no_http(
    numbers: random.Random, request: Request, answer: Answer
) -> Iterable[bytes]:
    well, gap = b"HTTP/1.1 200 OK\r\n", b"\r\n\r\n"
    yield numbers.choice(
        (
            *(b"", b"\xff\x00" * 999, b"x" * 200_000, b"HTTP/9.9 abc" + gap),
            *(b"HTTP/1.1 -1 " + gap, well + b"Content-Length: -5" + gap + b"{}"),
            well + b"Transfer-Encoding: chunked" + gap + b"zz\r\n{}\r\n",
        )
    )


def _drips(numbers: random.Random, request: Request, answer: Answer) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"
    end = time.monotonic() + _DRIP_SECONDS
    while time.monotonic() < end:
        yield b" "
        time.sleep(0.1)


_Way = Callable[[random.Random, Request, Answer], Answer | Iterable[bytes]]
_WAYS: tuple[_Way, ...] = (
    *(_noise, _cut, _another_shape, _another_code, _another_type, _elsewhere, _bomb),
    *(_no_packing, _headers, _pages, _hangs_up, _no_http, _drips),
)


def _with(answer: Answer, headers: Mapping[str, str]) -> Answer:
    wanted = {name.lower() for name in headers}
    kept = {k: v for k, v in answer.headers.items() if k.lower() not in wanted}
    return answer._replace(headers={**kept, **headers})
