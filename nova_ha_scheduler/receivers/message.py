# SPDX-License-Identifier: Apache-2.0
"""One message: of one event, of many that are summed up, or of none, as a try."""

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nova_ha_scheduler.printable import first_of, flat
from nova_ha_scheduler.records.events import TROUBLES, Event, EventKind

SUMMARY, TEST = "summary", "test"
"""Kinds beside those of events."""

_NAMES = 200
"""Of one kind, in a summary: people read no more of them, and $ids has all."""

_SUBJECT = 200
"""Characters."""

_OF_EVENT = (
    *("host", "recovery", "server", "server_name", "source", "destination"),
    *("how", "reason", "request_id"),
)


@dataclass(frozen=True)
class Message:
    """
    :ivar last: the number of the newest event in it.
    :ivar kind: the event's, SUMMARY, or TEST.
    :ivar values: what a template can name.
    """

    last: int
    kind: str
    subject: str
    text: str
    severity: str
    at: float
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The same for the same, whenever it is sent again."""
        return str(self.values["id"])


def of_event(number: int, event: Event, cloud: str) -> Message:
    """A message of one event."""
    whom = event.server_name or event.host
    what = flat(f"{event.kind.value} {whom}".rstrip() + _reason(event), _SUBJECT)
    rows = [
        ("event", f"{number}, {event.kind.value}"),
        ("at", _utc(event.at)),
        ("host", event.host),
        ("server", " ".join(filter(None, (event.server_name, event.server)))),
        ("from", event.source),
        ("to", event.destination),
        ("how", event.how),
        ("reason", event.reason),
        ("request", event.request_id),
        ("servers", first_of(event.servers, _NAMES)),
        ("more", f"nova-ha history show {event.host}" if event.recovery else ""),
    ]
    text = "\n".join(f"{name}: {value}" for name, value in rows if value)
    more = {name: getattr(event, name) for name in _OF_EVENT}
    more["servers"] = list(event.servers)
    kind, bad = event.kind.value, event.kind in TROUBLES
    return _message([number], kind, what, text, bad, event.at, cloud, more)


def _reason(event: Event) -> str:
    return f": {event.reason}" if event.reason else ""


def of_events(found: Sequence[tuple[int, Event]], cloud: str) -> Message:
    """A message that names all that has happened. :param found: two or more."""
    by_kind: dict[EventKind, list[str]] = defaultdict(list)
    for _, event in found:
        by_kind[event.kind].append(_whom(event))
    kinds = sorted(by_kind, key=lambda kind: kind not in TROUBLES)
    counts = ", ".join(f"{len(by_kind[kind])} {kind.value}" for kind in kinds)
    (first, begin), (last, end) = found[0], found[-1]
    lines = [
        f"{len(found)} events, {first} to {last}, from {_utc(begin.at)} to "
        f"{_utc(end.at)}. They are too many for a message each.",
        "",
    ]
    for kind in kinds:
        names = [name for name in dict.fromkeys(by_kind[kind]) if name]
        shown = f": {first_of(names, _NAMES)}" if names else ""
        lines.append(f"{kind.value} ({len(by_kind[kind])}){shown}")
    lines += ["", f"more: nova-ha history events --since {_utc(begin.at)}"]
    summary = {
        kind.value: [n for n in dict.fromkeys(by_kind[kind]) if n] for kind in kinds
    }
    more: dict[str, Any] = {**dict.fromkeys(_OF_EVENT, ""), "servers": []}
    more["summary"] = summary
    numbers = [number for number, _ in found]
    what = flat(f"{len(found)} events: {counts}", _SUBJECT)
    bad = any(kind in TROUBLES for kind in kinds)
    text = "\n".join(lines)
    return _message(numbers, SUMMARY, what, text, bad, end.at, cloud, more)


def _whom(event: Event) -> str:
    """Who it is about; of what is about nobody, why."""
    return event.server_name or event.host or event.reason


def of_nothing(at: float, cloud: str) -> Message:
    """A message by which a person tries a receiver."""
    what = "this is a test: nothing has happened"
    more: dict[str, Any] = {**dict.fromkeys(_OF_EVENT, ""), "servers": []}
    text = "Somebody has run nova-ha receiver test."
    return _message([], TEST, what, text, False, at, cloud, more)


def _message(
    numbers: Sequence[int],
    kind: str,
    what: str,
    text: str,
    bad: bool,
    at: float,
    cloud: str,
    more: Mapping[str, Any],
) -> Message:
    severity = "warning" if bad else "info"
    subject = f"[nova-ha{cloud and ' '}{flat(cloud)}] {what}"
    ids = {0: f"test-{at:.0f}", 1: str(*numbers[:1])}
    values = {
        "id": ids.get(len(numbers)) or f"{numbers[0]}-{numbers[-1]}",
        "ids": [*numbers],
        "count": len(numbers),
        "cloud": cloud,
        "kind": kind,
        "severity": severity,
        "subject": subject,
        "text": text,
        "at": _utc(at),
        "summary": {},
        **more,
    }
    last = numbers[-1] if numbers else 0
    return Message(last, kind, subject, text, severity, at, values)


def _utc(at: float) -> str:
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
