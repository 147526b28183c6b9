# SPDX-License-Identifier: Apache-2.0
"""Whether messages would reach the people that nova-ha.conf names."""

import os
import stat
from collections.abc import Iterable, Iterator

from nova_ha_scheduler.doctor.finding import Finding, Severity
from nova_ha_scheduler.receivers import Receiver, ReceiverError

_WHY = (
    "Nobody hears through this receiver of a dead host, or of what stops the "
    "protection."
)


def receivers_away(found: Iterable[Receiver]) -> Iterator[Finding]:
    """Each is asked whether it would take a message; none is sent."""
    for each in found:
        try:
            each.probe()
        except ReceiverError as error:
            yield Finding(
                Severity.WARNING,
                f"receiver {each.name} ({each.place}): {error}",
                _WHY,
                f"mend [receiver_{each.name}], or what it leads to; nova-ha receiver "
                f"test {each.name} sends a message",
            )


def secrets_open(found: Iterable[Receiver]) -> Iterator[Finding]:
    """Files of theirs that others than their owner and our groups may read."""
    for each in found:
        for path in each.secret_files():
            try:
                seen = os.stat(path)
            except OSError:
                continue  # receivers_away() says so
            mode = stat.S_IMODE(seen.st_mode)
            if mode & 0o137:
                yield Finding(
                    Severity.WARNING,
                    f"{path}: its mode is {mode:04o}",
                    f"Whoever reads it can speak to receiver {each.name} as the "
                    "trigger does.",
                    f"chmod 0400 {path}, and give it to the trigger's user",
                )


CHECKS = (receivers_away, secrets_open)
