# SPDX-License-Identifier: Apache-2.0
"""Files that are replaced as a whole, and whose they, and words, are."""

import os
import pwd
import tempfile
from pathlib import Path


def replace(path: Path, text: str, mode: int) -> None:
    """Write a file: who reads it finds all of it, or what was there before.

    :param mode: of the file, whatever the umask says.
    :raises OSError: it cannot be written.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(handle, mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def owner(uid: int) -> str:
    """A user's name, or the number of one who has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def signed(by: str, user: str) -> str:
    """A name that somebody has given for himself, with the user who he was: the one is
    for people, and the other for who wants to know whether it is true."""
    return by if by == user else f"{by} (user {user})"
