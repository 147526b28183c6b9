# SPDX-License-Identifier: Apache-2.0
"""The witness ``command``: the exit code of the operator's own program."""

import shlex
import shutil
import subprocess
from collections.abc import Sequence

from oslo_config import cfg

from nova_ha_scheduler.evacuation.interfaces import Verdict
from nova_ha_scheduler.programs import run
from nova_ha_scheduler.witnesses import HOST, ConfigError, Witness

VERDICTS = {0: Verdict.ALIVE, 1: Verdict.DEAD}


def needs_program(name: str) -> None:
    """:raises ConfigError: it is not installed."""
    if shutil.which(name) is None:
        raise ConfigError(f"[witnesses] there is no program {name}")


def judge(command: Sequence[str], seconds: float) -> tuple[Verdict, str]:
    """Exit code 0 is alive and 1 is dead; anything else tells nothing."""
    try:
        code, output = run(command, seconds)
    except subprocess.TimeoutExpired:
        return Verdict.UNKNOWN, f"{command[0]} gave no answer within {seconds:g} s"
    except OSError as error:
        return Verdict.UNKNOWN, f"{command[0]} cannot be run: {error.strerror}"
    words = " ".join(output.split())[-200:]
    return (
        VERDICTS.get(code, Verdict.UNKNOWN),
        f"{command[0]} ended with {code}" + (f": {words}" if words else ""),
    )


class Command(Witness):
    """[witnesses] command; the host's name is one argument, whatever is in it."""

    NAME = "command"

    def __init__(self, options: cfg.ConfigOpts.GroupAttr) -> None:
        super().__init__(options)
        self.needs_host("command")
        try:
            self._words = shlex.split(options.command)
        except ValueError as error:
            raise ConfigError(f"[witnesses] command: {error}") from None
        needs_program(self._words[0])

    def ask(self, host: str) -> tuple[Verdict, str]:
        words = [word.replace(HOST, host) for word in self._words]
        return judge(words, self.options.timeout)
