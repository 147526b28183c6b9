# SPDX-License-Identifier: Apache-2.0
"""What admission goes by, published by the active trigger at an interval.

A process of its own looks at the whole cloud for that, at the lowest priority: neither
its work nor its end has anything to do with a recovery. It gives way to one, too, as
both ask the same Nova.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from oslo_config import cfg

from nova_ha_scheduler.health.troubles import Trouble, Troubles

PROGRAM = (sys.executable, "-P", "-m", "nova_ha_scheduler.service.publish")

_GLANCE = 0.5
"""Seconds between two looks at whether it should give way."""


def command(conf: cfg.ConfigOpts) -> list[str]:
    """The program, with the configuration of this one."""
    files = [f"--config-file={path}" for path in conf.config_file or ()]
    return [*PROGRAM, *files, *(f"--config-dir={d}" for d in conf.config_dir or ())]


class Publisher:
    """
    :param interval: in seconds, from one beginning to the next; 0: never.
    :param busy: whether a recovery is under way. It is waited for, but not longer than
        one more interval: what admission goes by must not get too old.
    """

    def __init__(
        self,
        program: Sequence[str],
        interval: float,
        busy: Callable[[], bool],
        troubles: Troubles,
    ) -> None:
        self._program, self._interval = program, interval
        self._busy, self._troubles = busy, troubles
        self._ended = threading.Event()
        self._due = 0.0

    def start(self) -> None:
        if self._interval:
            threading.Thread(target=self._run, name="admission", daemon=True).start()

    def stop(self) -> None:
        """Return at once; what was begun is given up."""
        self._ended.set()

    def _run(self) -> None:
        self._due = time.monotonic()
        while not self._ended.wait(min(_GLANCE, self._interval)):
            now = time.monotonic()
            if now >= self._due and not self._gives_way():
                try:
                    done = self._publish(now + self._interval)
                except (OSError, TimeoutError) as error:
                    done = True
                    self._troubles.begins(Trouble.ADMISSION, error)
                if done:
                    self._due = now + self._interval

    def _gives_way(self) -> bool:
        return self._busy() and time.monotonic() < self._due + self._interval

    def _publish(self, until: float) -> bool:
        """Whether it has come to an end, good or bad.

        :raises TimeoutError, OSError: it could not, or cannot be run.
        """
        process = subprocess.Popen(
            self._program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        with process:
            try:
                while True:
                    try:
                        _, said = process.communicate(timeout=_GLANCE)
                        break
                    except subprocess.TimeoutExpired:
                        if self._ended.is_set() or self._gives_way():
                            return False
                        if time.monotonic() >= until:
                            raise TimeoutError(
                                f"it took longer than {self._interval:g} s"
                            ) from None
            finally:
                process.kill()
        if process.returncode:
            last = (said.strip() or f"exit code {process.returncode}").splitlines()[-1]
            self._troubles.begins(Trouble.ADMISSION, last)
        else:
            self._troubles.is_over(Trouble.ADMISSION)
        return True
