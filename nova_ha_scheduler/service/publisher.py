# SPDX-License-Identifier: Apache-2.0
"""What is worked out over the whole cloud, by the active trigger at an interval: what
admission goes by, and how many failures each zone tolerates.

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


def command(conf: cfg.ConfigOpts, *more: str) -> list[str]:
    """The program, with the configuration of this one. :param more: arguments."""
    files = [f"--config-file={path}" for path in conf.config_file or ()]
    folders = [f"--config-dir={path}" for path in conf.config_dir or ()]
    return [*PROGRAM, *more, *files, *folders]


class Publisher:
    """
    :param interval: in seconds, from one beginning to the next; 0: never.
    :param busy: whether a recovery is under way. It is waited for, but not longer than
        one more interval: what admission goes by must not get too old.
    :param take: gets what the program prints, if it ends well.
    :param trouble: what begins when it does not.
    """

    def __init__(
        self,
        program: Sequence[str],
        interval: float,
        busy: Callable[[], bool],
        troubles: Troubles,
        take: Callable[[str], None] = lambda printed: None,
        trouble: Trouble = Trouble.ADMISSION,
    ) -> None:
        self._program, self._interval = program, interval
        self._take, self._trouble = take, trouble
        self._busy, self._troubles = busy, troubles
        self._ended = threading.Event()
        self._due = 0.0

    def start(self) -> None:
        if self._interval:
            name = self._trouble.name.lower()
            threading.Thread(target=self._run, name=name, daemon=True).start()

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
                except Exception as error:  # what was printed may be anything
                    done = True
                    self._troubles.begins(self._trouble, error)
                if done:
                    self._due = now + self._interval

    def _gives_way(self) -> bool:
        return self._busy() and time.monotonic() < self._due + self._interval

    def _publish(self, until: float) -> bool:
        """Whether it has come to an end, good or bad.

        :raises Exception: it could not, or cannot be run; or whoever takes what it
            printed cannot read that.
        """
        process = subprocess.Popen(
            self._program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        with process:
            try:
                while True:
                    try:
                        printed, said = process.communicate(timeout=_GLANCE)
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
            self._troubles.begins(self._trouble, last)
        else:
            self._take(printed)
            self._troubles.is_over(self._trouble)
        return True
