# SPDX-License-Identifier: Apache-2.0
"""``nova-ha`` in this process; each code that it ends with is one of its command's."""

import contextlib
import io
import json
import logging
from dataclasses import dataclass
from typing import Any

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli.app import NovaHA


@dataclass
class Answer:
    """:ivar all: what a terminal shows: both, as they came."""

    code: int
    out: str
    err: str
    all: str = ""

    @property
    def words(self) -> str:
        """What stands on the standard output, however it is wrapped."""
        return " ".join(self.out.split())

    @property
    def json(self) -> Any:
        assert self.code == 0, self.out + self.err
        return json.loads(self.out)


class _Both(io.StringIO):
    """Keeps what is written, and gives it to another one, too."""

    def __init__(self, other: io.StringIO) -> None:
        super().__init__()
        self._other = other

    def write(self, text: str) -> int:
        self._other.write(text)
        return super().write(text)


def run(*arguments: str) -> Answer:
    both = io.StringIO()
    out, err = _Both(both), _Both(both)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = NovaHA().run(list(arguments))
        except SystemExit as error:  # argparse
            code = int(error.code or 0)
        finally:  # the program adds one that writes to today's standard error
            root.handlers[:] = handlers
            root.setLevel(level)
    _check(arguments, code)
    return Answer(code, out.getvalue(), err.getvalue(), both.getvalue())


def _check(arguments: tuple[str, ...], code: int) -> None:
    words = [word for word in arguments if not word.startswith("-")]
    for name, row in exits.COMMANDS.items():
        if words[: len(name.split())] == name.split():
            assert code in {*row, exits.INTERRUPTED}, f"{name} ends with {code}"
