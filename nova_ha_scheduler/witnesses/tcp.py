# SPDX-License-Identifier: Apache-2.0
"""The witness ``tcp``: whether a host's kernel answers on a port."""

import errno
import socket

from nova_ha_scheduler.evacuation.interfaces import WitnessVerdict
from nova_ha_scheduler.witnesses import Witness

NO_ANSWER = (errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ETIMEDOUT)


class Tcp(Witness):
    """[witnesses] address and tcp_port; a refused connection is life, too."""

    HOST_IN = "address"

    def ask(self, host: str, since: float = 0.0) -> tuple[WitnessVerdict, str]:
        address, port = self.filled(host), self.options.tcp_port
        place = f"{address} port {port}"
        try:
            socket.create_connection((address, port), self.options.timeout).close()
        except (ConnectionRefusedError, ConnectionResetError):
            return WitnessVerdict.ALIVE, f"{place} refused the connection"
        except TimeoutError:
            return WitnessVerdict.DEAD, f"{place} did not answer"
        except OSError as error:
            dead = error.errno in NO_ANSWER
            verdict = WitnessVerdict.DEAD if dead else WitnessVerdict.UNKNOWN
            return verdict, f"{place}: {error.strerror}"
        return WitnessVerdict.ALIVE, f"{place} took the connection"
