# SPDX-License-Identifier: Apache-2.0
"""The witness ``ping``: iputils' ping, which needs no privileges of ours."""

import math

from oslo_config import cfg

from nova_ha_scheduler.evacuation.interfaces import Verdict
from nova_ha_scheduler.witnesses import Witness
from nova_ha_scheduler.witnesses.command import judge, needs_program


class Ping(Witness):
    """[witnesses] address; one reply within the time limit is life.

    ping(8): with -c 1 and -w it asks each second until one reply or the deadline;
    exit code 1 is no reply, 2 any other trouble, as a name that is not known.
    """

    NAME = "ping"

    def __init__(self, options: cfg.ConfigOpts.GroupAttr) -> None:
        super().__init__(options)
        self.needs_host("address")
        needs_program("ping")

    def ask(self, host: str) -> tuple[Verdict, str]:
        deadline = str(math.floor(self.options.timeout))
        address = self.filled("address", host)
        command = ["ping", "-n", "-q", "-c", "1", "-w", deadline, "--", address]
        return judge(command, self.options.timeout + 0.5)
