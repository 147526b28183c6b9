# SPDX-License-Identifier: Apache-2.0
"""What can go wrong beside the death of a host: for the tests of each, and for chaos.

A fault is injected, and heals; both return when that has happened.
"""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.lib.stack.evacuator import Evacuator
from tests.lib.stack.gate import Does, Rule
from tests.lib.stack.stack import Stack


class Fault(Protocol):
    """One of them.

    :ivar name: what a person calls it.
    """

    @property
    def name(self) -> str: ...

    def inject(self, stack: Stack) -> None: ...

    def heal(self, stack: Stack) -> None: ...


@contextlib.contextmanager
def injected(fault: Fault, stack: Stack) -> Iterator[None]:
    """A fault for the time of a block; it heals also if that fails."""
    fault.inject(stack)
    try:
        yield
    finally:
        fault.heal(stack)


@dataclass
class Outage:
    """kill -9 of a program, which is started again: its name in Stack.handle()."""

    program: str

    @property
    def name(self) -> str:
        return f"no {self.program}"

    def inject(self, stack: Stack) -> None:
        stack.handle(self.program).kill()

    def heal(self, stack: Stack) -> None:
        stack.handle(self.program).start()


@dataclass
class Stall:
    """A program hangs (SIGSTOP), and goes on."""

    program: str

    @property
    def name(self) -> str:
        return f"{self.program} hangs"

    def inject(self, stack: Stack) -> None:
        stack.handle(self.program).freeze()

    def heal(self, stack: Stack) -> None:
        stack.handle(self.program).thaw()


@dataclass
class BadAnswers:
    """An API does not answer the trigger as it should: a rule of a gate.

    :ivar gate: compute, placement or redfish; :ivar details: of the rule.
    """

    gate: str
    does: Does
    details: dict[str, Any] = field(default_factory=dict)
    rule: Rule | None = None

    @property
    def name(self) -> str:
        what = self.details.get("status", 503) if self.does == "answer" else self.does
        return f"{self.gate} API: {what}"

    @property
    def hits(self) -> int:
        """How many requests it has met."""
        return self.rule.hits if self.rule else 0

    def inject(self, stack: Stack) -> None:
        # sushy, which asks fence devices, does not say whose it is.
        ours = {"agent": ""} if self.gate == "redfish" else {}
        self.rule = stack.gates[self.gate].rule(self.does, **ours, **self.details)

    def heal(self, stack: Stack) -> None:
        stack.gates[self.gate].lift(self.rule)


@dataclass
class Crash:
    """A host's nova-compute dies alone: the host has power, and its servers run."""

    host: str

    @property
    def name(self) -> str:
        return f"nova-compute of {self.host} crashes"

    def inject(self, stack: Stack) -> None:
        stack.machines[self.host].crash()

    def heal(self, stack: Stack) -> None:
        stack.machines[self.host].start()


@dataclass
class Lies:
    """All fence devices say Off, whatever is true, and do nothing."""

    name: str = "fence devices lie"

    def inject(self, stack: Stack) -> None:
        for machine in stack.machines.values():
            machine.lie("Off")

    def heal(self, stack: Stack) -> None:
        for machine in stack.machines.values():
            machine.lie(None)


@dataclass
class ShortTokens:
    """Tokens expire soon, and the one that the trigger has is revoked."""

    seconds: int = 8
    name: str = "tokens expire"

    def inject(self, stack: Stack) -> None:
        stack.keystone.expire_after(self.seconds)
        for token in tokens(stack)[-1:]:
            stack.keystone.revoke(token)

    def heal(self, stack: Stack) -> None:
        stack.keystone.expire_after(stack.site.layout.token_seconds)


def tokens(stack: Stack) -> list[str]:
    """Those with which the trigger has asked Nova, the oldest first."""
    seen = stack.gates["compute"].requests
    ours = (r.token for r in seen if "nova-ha" in r.agent and r.token)
    return list(dict.fromkeys(ours))


@dataclass
class FullDisk:
    """A trigger's files cannot grow (RLIMIT_FSIZE): a full disk, but for the errno.

    :ivar journal: the file of its SQLite.
    """

    service: Evacuator
    journal: Path
    name: str = "full disk under the journal"

    def inject(self, stack: Stack) -> None:
        files = self.journal.parent.glob(f"{self.journal.name}*")
        most = max(file.stat().st_size for file in files)
        self._limit(f"{most}:unlimited")

    def heal(self, stack: Stack) -> None:
        self._limit("unlimited:unlimited")

    def _limit(self, value: str) -> None:
        command = ["prlimit", f"--pid={self.service.pid}", f"--fsize={value}"]
        subprocess.run(command, check=True)


@dataclass
class ClockJump:
    """The wall clock of a trigger that has one of its own."""

    service: Evacuator
    seconds: int

    @property
    def name(self) -> str:
        return f"the clock jumps by {self.seconds} s"

    def inject(self, stack: Stack) -> None:
        self.service.jump(self.seconds)

    def heal(self, stack: Stack) -> None:
        self.service.jump(0)
