# SPDX-License-Identifier: Apache-2.0
"""What a receiver is told by files: read for each message, so that it can be renewed.

What stands in them is in no sentence.
"""

from pathlib import Path

from nova_ha_scheduler.fencing.secrets import Secret
from nova_ha_scheduler.receivers import ReceiverError

_MOST = 64 * 1024
"""Bytes of such a file: who has named another one is told so."""


def text(option: str, path: str) -> str:
    """All of it. :raises ReceiverError: it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            found = file.read(_MOST + 1)
        if len(found) <= _MOST:
            return found.decode()
        why = f"it has more than {_MOST} bytes"
    except OSError as error:
        why = error.strerror or type(error).__name__
    except UnicodeDecodeError:
        why = "it is no UTF-8"
    raise ReceiverError(f"{option}: {path} cannot be read: {why}")


def secret(option: str, path: str) -> Secret:
    """The one line of it. :raises ReceiverError: it cannot be read, or has another
    number of lines."""
    lines = text(option, path).strip().splitlines()
    if len(lines) != 1:
        words = f"{len(lines)} lines, and should have one"
        raise ReceiverError(f"{option}: {path} has {words}")
    return Secret(lines[0].strip())
