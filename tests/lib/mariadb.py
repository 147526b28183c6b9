# SPDX-License-Identifier: Apache-2.0
"""A MariaDB server of its own, from the system's package. Needs no pytest."""

import getpass
import subprocess
from pathlib import Path

from tests.lib import packages

_PACKAGE = "mariadb-server"


def install(folder: Path) -> None:
    """Make an empty server's files; takes half a second."""
    program = packages.find("mariadb-install-db", _PACKAGE)
    subprocess.run(
        [program, *_options(folder), "--auth-root-authentication-method=normal"],
        check=True,
        capture_output=True,
    )


def command(folder: Path, port: int, log_flush: int = 0) -> list[str]:
    """The server in the foreground.

    :param folder: its path has to be short: it holds a socket.
    :param log_flush: 0 may lose a second of commits when the server is killed, 2 only
        when the machine is.
    """
    program = packages.find("mariadbd", _PACKAGE)
    return [
        program,
        *_options(folder),
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder}/sock",
        f"--pid-file={folder}/pid",
        "--skip-name-resolve",
        # A server's default may be anything; the journal brings its own.
        "--character-set-server=latin1",
        "--innodb-use-native-aio=0",
        # Nothing has to outlive this machine; making tables would take four times as
        # long.
        "--innodb-flush-method=nosync",
        "--innodb-file-per-table=0",
        "--innodb-doublewrite=0",
        f"--innodb-flush-log-at-trx-commit={log_flush}",
        "--max-connections=600",
    ]


def _options(folder: Path) -> list[str]:
    user = getpass.getuser()
    return ["--no-defaults", f"--datadir={folder}/data", f"--user={user}"]
