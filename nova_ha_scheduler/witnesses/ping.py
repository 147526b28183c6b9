# SPDX-License-Identifier: Apache-2.0
"""The witness ``ping``: iputils' ping, which needs no privileges of ours."""

import math

from nova_ha_scheduler.witnesses.command import CommandWitness


class Ping(CommandWitness):
    """[witnesses] address; one reply within the time limit is life.

    ping(8): with -c 1 and -w it asks each second until one reply or the deadline;
    exit code 1 is no reply, 2 any other trouble, as a name that is not known.
    """

    HOST_IN = "address"

    def words(self) -> list[str]:
        deadline = str(math.floor(self.options.timeout))
        address = self.options.address
        return ["ping", "-n", "-q", "-c", "1", "-w", deadline, "--", address]
