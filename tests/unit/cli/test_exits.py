# SPDX-License-Identifier: Apache-2.0
"""Exit codes stand in one table; what commands end with, and what their help and
docs/exit-codes.md say, is that."""

import ast
import inspect
import re
from collections import defaultdict
from importlib import metadata, util
from pathlib import Path

import pytest

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import until_done
from nova_ha_scheduler.service import main
from tests.unit import commandline

PAGE = Path(__file__).parents[3] / "docs" / "exit-codes.md"
ENTRIES = {
    entry.name.replace("_", " "): entry
    for entry in metadata.entry_points(group="nova_ha.cli")
}
CODES = {name for name, value in vars(exits).items() if type(value) is int}


def _named(source: str) -> set[int]:
    """The codes that a module names as exits.NAME."""
    found = {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "exits"
        and node.attr in CODES
    }
    return {getattr(exits, name) for name in found}


def test_every_command_has_a_row_and_every_row_a_command() -> None:
    assert sorted(exits.COMMANDS) == sorted(ENTRIES)


def test_the_page_has_the_table() -> None:
    assert exits.table() in PAGE.read_text(), exits.table()


def test_the_codes_of_a_module_are_in_the_rows_of_its_commands() -> None:
    rows: defaultdict[str, set[int]] = defaultdict(set)
    for name, entry in ENTRIES.items():
        rows[entry.module] |= exits.COMMANDS[name].keys()
    for module, codes in rows.items():
        spec = util.find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        named = _named(Path(spec.origin).read_text())
        assert named <= codes | {exits.INTERRUPTED}, module


def test_what_is_waited_for_ends_with_codes_of_those_who_wait() -> None:
    assert {exits.PARTLY, exits.REFUSED, exits.LATE} <= _named(
        inspect.getsource(until_done)
    )
    ends = _named(inspect.getsource(until_done)) - {exits.INTERRUPTED}
    for name in ("evacuate", "maintenance start", "maintenance end"):
        assert ends <= exits.COMMANDS[name].keys(), name


@pytest.mark.parametrize("command", ["evacuate", "capacity", "history list", "check"])
def test_the_help_of_a_command_says_its_codes(command: str) -> None:
    said = " ".join(commandline.run("help", *command.split()).out.split())
    assert exits.sentence(command) in said.replace("- ", "-")


def test_the_help_of_the_service_says_what_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        main.main(["--help"])
    assert end.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "The evacuation trigger: the service that sees a protected compute" in said
    assert exits.of_program("nova-ha-evacuator") in said.replace("- ", "-")
    for page in re.findall(r"docs/\w+\.md", said):
        assert (PAGE.parents[1] / page).exists()
    assert "docs/trigger.md" in said
