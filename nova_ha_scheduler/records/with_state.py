# SPDX-License-Identifier: Apache-2.0
"""What all records that have a state share."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from nova_ha_scheduler.reasons import Reasoned


@dataclasses.dataclass(frozen=True)
class WithState(Reasoned):
    """
    :cvar DUE: the field that says when what is wanted of the world may be asked for.
    :cvar EVENTS: how the kinds of the record's events begin.
    :cvar VOID: what is void in a state, or in each that it enters (None).
    """

    DUE: ClassVar[str]
    EVENTS: ClassVar[str]
    VOID: ClassVar[Mapping[Any, tuple[str, ...]]]

    def entered(self, state: Any, now: float, **kept: Any) -> Self:
        """The record in a state: what is void then has its default again.

        :param kept: fields, with what they hold from now on.
        """
        cls: Any = type(self)
        names = (*cls.VOID.get(None, ()), *cls.VOID.get(state, ()))
        new = {name: _defaults(cls)[name] for name in names}
        if hasattr(self, "stages"):
            new["stages"] = {**self.stages, state.value: now}
        if hasattr(state, "final"):
            new["ended_at"] = now if state.final else None
        return dataclasses.replace(self, **{**new, "state": state, **kept})

    def put_off(self, until: float) -> Self:
        """The record, for which nothing is asked before then."""
        later: dict[str, Any] = {self.DUE: until}
        return dataclasses.replace(self, **later)


@functools.cache
def _defaults(cls: Any) -> dict[str, Any]:
    return {field.name: field.default for field in dataclasses.fields(cls)}
