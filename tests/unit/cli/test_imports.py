# SPDX-License-Identifier: Apache-2.0
"""What a command does not use, it does not wait for: each of these libraries takes a
good part of a second to import, and people ask often while hosts are dead."""

import subprocess
import sys

import pytest

from tests.unit.cli.conftest import Site

SLOW = {"alembic", "eventlet", "openstack", "oslo_messaging", "sushy", "tooz"}

_CODE = f"""
import sys
from nova_ha_scheduler.cli.app import NovaHA
code = NovaHA().run(sys.argv[1:])
print("imported:", *sorted(sys.modules.keys() & {SLOW}))
sys.exit(code)
"""


@pytest.mark.parametrize(
    ("command", "used"),
    [
        ("history list", set()),
        ("history events", set()),
        ("maintenance list", set()),
        ("abort c1 --by Ann --reason wrong", set()),
        ("confirm-fenced c1 --by Ann --reason pulled", set()),
        ("resume --all --by Ann --reason over", set()),
        ("status", {"openstack"}),
        ("plan c1 --synthetic hosts=4 --synthetic servers=4", {"openstack"}),
    ],
)
def test_imports(site: Site, command: str, used: set[str]) -> None:
    arguments = [f"--config-file={site.conf}", *command.split()]
    done = subprocess.run(
        [sys.executable, "-c", _CODE, *arguments], capture_output=True, text=True
    )
    *_, last = done.stdout.splitlines() or [""]
    assert last.partition("imported:")[2].split() == sorted(used), done.stderr
