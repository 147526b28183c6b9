# SPDX-License-Identifier: Apache-2.0
"""The witness ``command``: the exit code of the operator's own program."""

import shlex
import shutil
import subprocess

from oslo_config import cfg

from nova_ha_scheduler.evacuation.interfaces import WitnessVerdict
from nova_ha_scheduler.programs import TooMuchOutput, run
from nova_ha_scheduler.witnesses import HOST, Witness, WitnessOptionError

VERDICTS = {0: WitnessVerdict.ALIVE, 1: WitnessVerdict.DEAD}

SLACK = 0.5
"""Seconds beyond the time limit, in which a program may end by itself."""


class CommandWitness(Witness):
    """[witnesses] command; the host's name is one argument, whatever is in it."""

    HOST_IN = "command"

    def __init__(self, options: cfg.ConfigOpts.GroupAttr) -> None:
        super().__init__(options)
        try:
            self._words = self.words()
        except ValueError as error:
            raise WitnessOptionError(f"[witnesses] command: {error}") from None
        if shutil.which(self._words[0]) is None:
            raise WitnessOptionError(
                f"[witnesses] there is no program {self._words[0]}"
            )

    def words(self) -> list[str]:
        """The program and its arguments. :raises ValueError: an open quotation."""
        return shlex.split(self.options.command)

    def ask(self, host: str, since: float = 0.0) -> tuple[WitnessVerdict, str]:
        """Exit code 0 is alive and 1 is dead; anything else tells nothing."""
        name, seconds = self._words[0], self.options.timeout
        command = [word.replace(HOST, host) for word in self._words]
        try:
            code, output = run(command, seconds + SLACK)
        except subprocess.TimeoutExpired:
            return WitnessVerdict.UNKNOWN, f"{name} gave no answer within {seconds:g} s"
        except TooMuchOutput as error:
            return WitnessVerdict.UNKNOWN, f"{name} was stopped: {error}"
        except OSError as error:
            return WitnessVerdict.UNKNOWN, f"{name} cannot be run: {error.strerror}"
        words = " ".join(output.split())[-200:]
        seen = f"{name} ended with {code}" + (f": {words}" if words else "")
        return VERDICTS.get(code, WitnessVerdict.UNKNOWN), seen
