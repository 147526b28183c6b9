# SPDX-License-Identifier: Apache-2.0
"""What all records that have a state share."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from nova_ha_scheduler.reasons import Reason, filled


@dataclasses.dataclass(frozen=True, kw_only=True)
class WithState:
    """
    :ivar reason, detail: why it is not, or not yet, where it is to be: for people.
    :ivar phase: where the record stands within its state; each kind has its own.
    :cvar DUE: the field that says when what is wanted of the world may be asked for.
    :cvar EVENTS: how the kinds of the record's events begin.
    :cvar VOID: what is void in a state, or in each that it enters (None).
    :cvar HELD: the phase of a record that has a reason, and no other phase.
    """

    DUE: ClassVar[str]
    EVENTS: ClassVar[str]
    VOID: ClassVar[Mapping[Any, tuple[str, ...]]]
    HELD: ClassVar[Any] = None

    reason: Reason | None = None
    detail: str = ""
    phase: Any = None

    def because(
        self, reason: Reason | None, detail: str = "", phase: Any = None
    ) -> Self:
        """The record, for another reason, or none, in the phase that goes with it."""
        phase = phase or (self.HELD if reason else None)
        return dataclasses.replace(self, reason=reason, detail=detail, phase=phase)

    @property
    def sentence(self) -> str:
        """The reason as a sentence, if there is one."""
        if self.reason is None:
            return ""
        told = self.told
        words = self.reason.sentence(self.detail)
        return filled(words, told["host"], told.get("server", ""))

    @property
    def told(self) -> Mapping[str, Any]:
        """What every event about it says: the host, at least."""
        raise NotImplementedError

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
