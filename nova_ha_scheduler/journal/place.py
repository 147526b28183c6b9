# SPDX-License-Identifier: Apache-2.0
"""Where the journal is: what [database] connection says, and its file, if it is one.

The journal holds what people have ordered and why, and names every server: its file is
the service's, and its group may read it. sqlite gives the files beside it (-wal, -shm)
its mode.
"""

import os
import stat

import sqlalchemy as sa

from nova_ha_scheduler.journal import JournalError, NoJournal, WrongDatabase

MODE = 0o640
"""Of the file, whatever the umask says."""

_EXTRAS = {
    "mysql": ("mysql", "mysql+pymysql"),
    "mariadb": ("mysql", "mysql+pymysql"),
    "postgresql": ("postgresql", "postgresql+psycopg2"),
}
_FORMS = (
    "sqlite:////var/lib/nova-ha-scheduler/journal.sqlite, "
    "mysql+pymysql://USER:PASSWORD@HOST/nova_ha or "
    "postgresql+psycopg2://USER:PASSWORD@HOST/nova_ha"
)


def parse(connection: str | None) -> sa.URL:
    """The URL of a database that the journal can live in, and whose driver is there.

    :raises WrongDatabase: it is none; what stands there is not quoted, as there may be
        a password in it.
    """
    try:
        url = sa.make_url(connection or "")
    except (sa.exc.ArgumentError, ValueError):
        raise WrongDatabase(
            f"[database] connection is no URL of a database; it is one of {_FORMS}"
        ) from None
    backend = url.get_backend_name()
    if backend != "sqlite" and backend not in _EXTRAS:
        raise WrongDatabase(
            f"[database] connection: the journal cannot live in {backend}; use one of "
            f"{_FORMS}"
        )
    try:
        url.get_dialect().import_dbapi()
    except (ImportError, sa.exc.ArgumentError):
        extra, name = _EXTRAS.get(backend, ("evacuator", "sqlite"))
        raise WrongDatabase(
            f"[database] connection: the driver of {url.drivername}:// is not "
            f"installed: pip install 'nova-ha-scheduler[{extra}]', and let the URL "
            f"begin with {name}://"
        ) from None
    return url


def file_of(url: sa.URL) -> str | None:
    """The path of a journal that is a file."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    found = str(url.database)
    return None if found == ":memory:" or found.startswith("file:") else found


def _is_missing(path: str) -> bool:
    """Not where this user may not look: then it may be there."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def require(url: sa.URL) -> None:
    """Before a look: which would make an empty file where there is none.

    :raises NoJournal: there is none yet.
    :raises WrongDatabase: nor is there its directory.
    """
    path = file_of(url)
    if path is not None and _is_missing(path):
        _require_folder(path)
        raise NoJournal(f"there is no journal at {path}")


def make(url: sa.URL) -> None:
    """Before the tables are made: the file, which nobody else may read.

    :raises WrongDatabase: there is no such directory.
    :raises JournalError: the file cannot be made.
    """
    path = file_of(url)
    if path is None:
        return
    _require_folder(path)
    try:
        _make(path)
    except OSError as error:
        raise JournalError(
            f"the journal {path} ([database] connection) cannot be made, or given the "
            f"mode {MODE:04o}: {error.strerror}"
        ) from None


def _make(path: str) -> None:
    folder = os.stat(os.path.dirname(path) or ".")
    if not os.path.exists(path):
        handle = os.open(path, os.O_CREAT | os.O_RDWR, MODE)
        try:
            os.fchmod(handle, MODE)
            if os.geteuid() == 0:  # by hand; the service is to write it later
                os.fchown(handle, folder.st_uid, folder.st_gid)
        finally:
            os.close(handle)
    for name in (path, f"{path}-wal", f"{path}-shm"):  # as older versions made them
        try:
            found = os.stat(name)
        except FileNotFoundError:
            continue
        too_much = stat.S_IMODE(found.st_mode) & ~MODE
        if too_much and found.st_uid in (os.geteuid(), folder.st_uid):
            os.chmod(name, stat.S_IMODE(found.st_mode) & MODE)


def _require_folder(path: str) -> None:
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise WrongDatabase(
            f"there is no directory {folder} for the journal ([database] connection): "
            "the systemd unit makes it, and so does: install -d -m 0750 -o nova-ha -g "
            f"nova-ha {folder}"
        )
