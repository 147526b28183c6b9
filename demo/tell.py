# SPDX-License-Identifier: Apache-2.0
"""How the story is printed: for an 80-column terminal, in colours if it is one."""

import os
import sys
import textwrap
from collections.abc import Iterable, Sequence

_WIDTH = 79
_BOLD, _DIM, _RED, _GREEN = "1", "2", "31;1", "32;1"
_INDENT = "   "


class Tell:
    """Prints steps and their evidence as they come, and keeps the count of marks."""

    def __init__(self) -> None:
        self._colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._number = 0
        self.ok = self.failed = self.skipped = 0

    def _print(self, text: str, colour: str = "") -> None:
        if colour and self._colours:
            text = f"\033[{colour}m{text}\033[0m"
        print(text, flush=True)

    def _wrapped(self, text: str, first: str, colour: str = "") -> None:
        lines = textwrap.wrap(
            text,
            _WIDTH,
            initial_indent=first,
            subsequent_indent=" " * len(first),
            break_on_hyphens=False,
            break_long_words=False,
        )
        self._print("\n".join(lines), colour)

    def title(self, text: str) -> None:
        self._print(text, _BOLD)

    def step(self, title: str) -> None:
        self._number += 1
        self._print("")
        self._wrapped(title, f"{self._number}. ", _BOLD)

    def say(self, text: str) -> None:
        self._wrapped(text, _INDENT)

    def quote(self, text: str) -> None:
        """Something that Nova or the scheduler said, word for word."""
        self._wrapped(text, f"{_INDENT}  | ", _DIM)

    def output(self, command: str, text: str) -> None:
        """A command and what it printed, line by line."""
        self._print(f"{_INDENT}  $ {command}", _BOLD)
        for line in text.rstrip().splitlines():
            self._print(f"{_INDENT}  {line}", _DIM)

    def command(self, what: str, command: str) -> None:
        """Something to type, in one line, which can be copied."""
        if what:
            self.say(what)
        self._print(f"{_INDENT}  {command}", _BOLD)

    def table(self, rows: Iterable[Sequence[str]]) -> None:
        rows = list(rows)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = map(str.ljust, row, widths)
            self._print((_INDENT + "  " + "  ".join(cells)).rstrip())

    def came_true(self, seconds: float) -> None:
        self.ok += 1
        self._print(f"{_INDENT}OK ({seconds:.1f} s)", _GREEN)

    def came_false(self, expected: str, seen: str) -> None:
        self.failed += 1
        self._print(f"{_INDENT}FAILED", _RED)
        self._wrapped(expected, f"{_INDENT}  expected: ")
        self._wrapped(seen, f"{_INDENT}  seen:     ")

    def skip(self, needed: str) -> None:
        self.skipped += 1
        self._wrapped(f"SKIPPED: it needs what failed above: {needed}", _INDENT, _RED)

    def summary(self, seconds: float) -> None:
        counts = [f"{self.ok} of {self._number} steps came true"]
        counts += [f"{self.failed} FAILED"] if self.failed else []
        counts += [f"{self.skipped} skipped"] if self.skipped else []
        colour = _RED if self.failed else _GREEN
        self._print(f"\n{', '.join(counts)}, in {seconds:.0f} s.", colour)
