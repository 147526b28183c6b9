# SPDX-License-Identifier: Apache-2.0
"""The wheel on a host that has nothing: no Nova, and no versions that we chose."""

import json
import re
from pathlib import Path

import pytest

from tests.integration.install import fresh
from tests.integration.install.conftest import PROGRAMS
from tests.integration.install.fresh import Fresh

# In one process: each of its own would be half a minute of processor time.
_HELP_OF_ALL = """
import contextlib, io, json
from importlib.metadata import entry_points
from nova_ha_scheduler.cli.app import NovaHA
found = {}
for name in entry_points(group="nova_ha.cli").names:
    words = name.split("_")
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            NovaHA().run([*words, "--help"])
        except SystemExit:
            pass
    found[" ".join(words)] = out.getvalue()
print(json.dumps(found))
"""
_DRIVERS = """
import sqlalchemy, tooz.coordination
for url in ("mysql+pymysql://u@h/journal", "postgresql+psycopg2://u@h/journal"):
    sqlalchemy.create_engine(url)
for url in ("etcd3+http://h:2379", "redis://h:6379"):
    tooz.coordination.get_coordinator(url, b"us")
"""
_IMPORT_ALL = """
import importlib, pkgutil
import nova_ha_scheduler as package
for found in pkgutil.walk_packages(package.__path__, "nova_ha_scheduler."):
    try:
        importlib.import_module(found.name)
    except ModuleNotFoundError as error:
        print(error.name)
    except AttributeError:  # alembic's env is run by alembic alone
        print(found.name)
"""


def test_without_the_extra_one_line_says_what_to_install(
    refusals: dict[str, str],
) -> None:
    for name, said in refusals.items():
        assert said.startswith(f"{name}: not installed: "), said
        assert said.endswith("pip install 'nova-ha-scheduler[evacuator]'\n"), said
        assert said.count("\n") == 1, said


def test_an_alert_agent_needs_no_extra(plain: Fresh, refusals: dict[str, str]) -> None:
    """Cluster nodes have it; an alert that is not of fencing is nothing to do."""
    alert = ["env", "CRM_alert_kind=node", plain.bin / "nova-ha-pacemaker-alert"]
    assert fresh.run(alert) == ""


def test_it_is_the_wheel_that_runs(host: Fresh) -> None:
    where = host.code("import nova_ha_scheduler as n; print(n.__file__)")
    assert Path(where).is_relative_to(host.bin.parent)


def test_every_module_that_needs_no_nova_can_be_imported(host: Fresh) -> None:
    """Those that need it need nothing else that is not here."""
    missing = set(host.code(_IMPORT_ALL).split())
    assert missing == {"nova", "nova_ha_scheduler.journal.migrations.env"}


def test_help_of_every_command(host: Fresh) -> None:
    found = json.loads(host.code(_HELP_OF_ALL))
    assert len(found) > 20
    for command, said in found.items():
        assert re.match(rf"usage: \S+ {command} ", said), said


@pytest.mark.parametrize("words", [*PROGRAMS, "nova-ha check", "nova-ha evacuate"])
def test_help_as_people_ask_for_it(host: Fresh, words: str) -> None:
    program, *rest = words.split()
    said = fresh.run([host.bin / program, *rest, "--help"])
    assert said.startswith(f"usage: {words} "), said


def test_drivers_of_databases_and_locks(host: Fresh) -> None:
    host.install(f"{fresh.PROJECT}[{fresh.EVERY_EXTRA}]")
    assert host.code(_DRIVERS) == ""


def test_versions(host: Fresh) -> None:
    said = fresh.run([host.bin / "nova-ha", "--version"])
    assert re.fullmatch(r"nova-ha \d+\.\d+\.\d+\n", said)
