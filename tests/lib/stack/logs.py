# SPDX-License-Identifier: Apache-2.0
"""What triggers have logged, since their first start."""

from collections.abc import Sequence
from pathlib import Path

from tests.lib.stack.evacuator import Trigger


class Logs:
    """The logs of all services of triggers; of those, too, that are added later."""

    def __init__(self, triggers: Sequence[Trigger]) -> None:
        self._triggers = triggers

    def count(self, words: str) -> int:
        """How often they have said this."""
        return sum(_read(file).count(words) for file in self._files())

    def tracebacks(self) -> list[str]:
        """For each log that has a traceback its name, and how that begins."""
        texts = {file.name: _read(file) for file in self._files()}
        return [
            f"{name}: {text[text.index('Traceback') :][:2000]}"
            for name, text in texts.items()
            if "Traceback" in text
        ]

    def _files(self) -> list[Path]:
        programs = (p for trigger in self._triggers for p in trigger.services.values())
        return [file for program in programs for file in program.logs]


def _read(file: Path) -> str:
    return file.read_text(errors="replace")
