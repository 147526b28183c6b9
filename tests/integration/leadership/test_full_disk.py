# SPDX-License-Identifier: Apache-2.0
"""No room for the journal: what cannot be written down is not done, and not lost."""

from tests.integration.leadership.conftest import ALIVE, Site  # isort: skip

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lib.backends import Backend
from tests.lib.recorder import Service, ago
from tests.lib.waiting import PATIENCE, wait

FULL, ROOM = "The journal cannot be used", "The journal can be used again"


@pytest.fixture
def database(tmp_path: Path) -> str:
    (tmp_path / "small").mkdir()
    return f"sqlite:///{tmp_path}/small/journal.sqlite"


def small_disk(folder: Path) -> list[str]:
    """A command that runs another one with a disk of 1 MiB, seen by it alone.

    Needs no rights but to have a user namespace of one's own.
    """
    mount = f'mount -t tmpfs -o size=1m small {folder}/small && exec "$@"'
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]


def fill(path: Path) -> None:
    """Write until there is not one more byte of room."""
    with path.open("wb", 0) as file:
        for size in (4096, 1):
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                _write_for_ever(file, size)


def _write_for_ever(file: io.RawIOBase, size: int) -> None:
    while True:
        file.write(os.urandom(size))


def nova_ha(site: Site, *arguments: str) -> str:
    """The command line, beside the trigger on its disk."""
    pid = site.triggers["first"].pid
    inside = ["nsenter", f"--target={pid}", "--user", "--mount"]
    program = str(Path(sys.executable).with_name("nova-ha"))
    conf = site.conf("first", Backend())
    command = [*inside, "--preserve-credentials", program, f"--config-file={conf}"]
    return subprocess.check_output([*command, *arguments], text=True, timeout=PATIENCE)


def test_nothing_is_done_that_cannot_be_written(site: Site, tmp_path: Path) -> None:
    host = ALIVE[1]
    dying = Service(host, up=True, beats=False, heard_at=ago(30))
    site.cloud.nova.services = {ALIVE[0]: Service(ALIVE[0], up=True), host: dying}
    process = site.start("first", Backend(), within=small_disk(tmp_path))
    process.wait_until("first", lambda: site.leads("first"))
    nova_ha(site, "confirm-fenced", host, "--by", "me", "--reason", "I saw it")
    ballast = Path(f"/proc/{process.pid}/root{tmp_path}/small/ballast")
    fill(ballast)
    wait("a word of it", lambda: FULL in site.log("first"))
    dying.up, dying.heard_at = False, ago(600)
    looks = site.cloud.nova.looks
    wait("looks at the dead host", lambda: site.cloud.nova.looks > looks + 5)
    assert site.cloud.changes == []
    ballast.unlink()
    wait("the recovery", lambda: f"host.recovered {host}" in site.log("first"))
    wait("its end", lambda: ROOM in site.log("first"))
    assert [change.host for change in site.cloud.changes] == [host] * 2
    assert site.log("first").count(FULL) == 1
    assert "Traceback" not in site.log("first")
    told = json.loads(nova_ha(site, "history", "show", host, "-f", "json"))["events"]
    kinds = [event["kind"] for event in told]
    assert kinds == [
        f"host.{w}" for w in ("suspected", "fenced", "evacuating", "recovered")
    ]
