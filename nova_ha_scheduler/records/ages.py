# SPDX-License-Identifier: Apache-2.0
"""Fields that say how old something is, which a clock that is set must not change.

A time is marked so where it is compared with the present. One that is compared with
Nova's times, or that a person gave, is not.
"""

import functools
from dataclasses import field, fields, replace
from typing import Any

_AGE, _WAIT, _INNER = "age", "wait", "inner"


def age(default: Any = None) -> Any:
    """A field with the time, in seconds since the epoch, of something that happened."""
    return field(default=default, metadata={_AGE: True})


def wait() -> Any:
    """A field with the time before which something is not done; 0: at once."""
    return field(default=0.0, metadata={_AGE: True, _WAIT: True})


def inner() -> Any:
    """A field with records that have such fields of their own."""
    return field(default=(), metadata={_INNER: True})


def shifted(record: Any, seconds: float) -> Any:
    """The record on a clock that was set: all is as old as it was."""
    found = ((name, getattr(record, name)) for name in _marked(record.__class__, _AGE))
    new: dict[str, Any] = {name: at + seconds for name, at in found if at}
    for name in _marked(record.__class__, _INNER):
        new[name] = tuple(shifted(one, seconds) for one in getattr(record, name))
    return replace(record, **new) if new else record


def bounded(record: Any, latest: float) -> Any:
    """The record, which waits for nothing beyond a time."""
    waits = _marked(record.__class__, _WAIT)
    new: dict[str, Any] = {n: latest for n in waits if getattr(record, n) > latest}
    for name in _marked(record.__class__, _INNER):
        before = getattr(record, name)
        after = tuple(bounded(one, latest) for one in before)
        if after != before:
            new[name] = after
    return replace(record, **new) if new else record


@functools.cache
def _marked(cls: Any, mark: str) -> tuple[str, ...]:
    return tuple(found.name for found in fields(cls) if mark in found.metadata)
