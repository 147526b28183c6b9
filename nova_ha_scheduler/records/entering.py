# SPDX-License-Identifier: Apache-2.0
"""How a record enters a state: what that makes void is declared with the record."""

import dataclasses
import functools
from typing import Any


def entered(record: Any, state: Any, now: float, **kept: Any) -> Any:
    """The record in a state: what its VOID declares for it, or for every state (None),
    has its default again.

    :param kept: fields, with what they hold from now on.
    """
    cls = record.__class__
    names = (*cls.VOID.get(None, ()), *cls.VOID.get(state, ()))
    new = {name: _defaults(cls)[name] for name in names}
    if hasattr(record, "stages"):
        new["stages"] = {**record.stages, state.value: now}
    if hasattr(state, "final"):
        new["ended_at"] = now if state.final else None
    return dataclasses.replace(record, **{**new, "state": state, **kept})


@functools.cache
def _defaults(cls: Any) -> dict[str, Any]:
    return {field.name: field.default for field in dataclasses.fields(cls)}
