# SPDX-License-Identifier: Apache-2.0
"""What a command does not use, it does not wait for: each of these libraries takes a
good part of a second to import, and people ask often while hosts are dead."""

import inspect
import re
import subprocess
import sys
from importlib import metadata

import pytest

from tests.unit import commandline
from tests.unit.cli.conftest import Site

SLOW = {
    "alembic",
    "eventlet",
    "keystoneauth1",
    "openstack",
    "oslo_messaging",
    "oslo_utils.strutils",
    "requests",
    "sqlalchemy",
    "sushy",
    "tooz",
}
JOURNAL, CLOUD = {"sqlalchemy"}, {"keystoneauth1", "openstack", "requests"}

_CODE = (
    f"SLOW = {SLOW}"
    + """
import sys
from nova_ha_scheduler.cli.app import NovaHA
try:
    code = NovaHA().run(sys.argv[1:])
except SystemExit as end:
    code = end.code
print("\\nimported:", *sorted(sys.modules.keys() & SLOW))
sys.exit(code)
"""
)


@pytest.mark.parametrize(
    ("command", "used"),
    [
        ("--help", set()),
        ("help", set()),
        ("history list --help", JOURNAL),
        ("history list", JOURNAL),
        ("history events", JOURNAL),
        ("health", JOURNAL),
        ("health --file none", set()),
        ("history purge --older-than 900d", JOURNAL),
        ("maintenance list", JOURNAL),
        ("abort c1 --by Ann --reason wrong", JOURNAL),
        ("confirm-fenced c1 --by Ann --reason pulled", JOURNAL),
        ("retry c1 --by Ann --reason mended", JOURNAL),
        ("guard reset --by Ann --reason over", JOURNAL),
        ("resume --all --by Ann", JOURNAL),
        ("status", JOURNAL | CLOUD),
        ("pause c1 --by Ann --reason odd", JOURNAL | CLOUD),
        ("host list", JOURNAL | CLOUD),
        ("check", JOURNAL | CLOUD),
        ("tag c1 --ha", CLOUD),
        ("plan c1", CLOUD),
        ("plan c1 --synthetic hosts=4", CLOUD),
        ("explain s1", CLOUD),
        (
            "maintenance start c1 --by Ann --reason odd --timeout 1s",
            JOURNAL | CLOUD,
        ),
    ],
)
def test_imports(site: Site, command: str, used: set[str]) -> None:
    fencing = site.conf.with_name("fencing.yaml")
    fencing.touch(mode=0o600)
    with site.conf.open("a") as conf:
        conf.write(f"[fencing]\nconfig_file = {fencing}\n")
    arguments = [f"--config-file={site.conf}", *command.split()]
    done = subprocess.run(
        [sys.executable, "-c", _CODE, *arguments], capture_output=True, text=True
    )
    *_, last = done.stdout.splitlines() or [""]
    word, *imported = last.split()
    assert word == "imported:", done.stderr
    assert imported == sorted(used), done.stderr
    assert "usage:" not in done.stderr


def test_help_shows_each_command_as_its_own_help_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is read in the sources."""
    monkeypatch.setenv("COLUMNS", "200")  # else lines are wrapped
    shown = commandline.run("--help").out.partition("Commands:")[2]
    for entry in metadata.entry_points(group="nova_ha.cli"):
        name = entry.name.replace("_", " ")
        line = inspect.getdoc(entry.load()).splitlines()[0].rstrip(".")
        assert f"  {name} " in shown
        assert re.search(rf"^  {name} +{re.escape(line)}$", shown, re.MULTILINE), name


def test_the_rest_of_a_command_is_free_of_garbage_collection_no_more() -> None:
    """It is off while modules are imported, and seldom after that."""
    code = (
        "import gc, sys\n"
        "from nova_ha_scheduler import launch\n"
        "sys.argv = ['nova-ha', 'history', 'list', '--help']\n"
        "code = launch.nova_ha()\n"
        "seldom = gc.get_threshold()[0] == 100_000\n"
        "frozen = gc.get_freeze_count() > 10_000\n"
        "print('enabled:', code, gc.isenabled(), seldom, frozen)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["enabled: 0 True True True"], done.stderr
