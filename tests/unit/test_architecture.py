# SPDX-License-Identifier: Apache-2.0
"""What docs/architecture.md draws and lists is there, and all that is there is in it.

That the arrows of its diagrams are those that are taken, tests/scenarios shows.
"""

import ast
import inspect
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_ha_scheduler.evacuation.host import host_states
from nova_ha_scheduler.evacuation.maintenance import move_states, window_states
from nova_ha_scheduler.evacuation.server import server_states
from nova_ha_scheduler.records.host_recovery import HOST_STATES, HostState
from nova_ha_scheduler.records.maintenance_window import WINDOW_STATES, WindowState
from nova_ha_scheduler.records.move import MOVE_STATES, MoveState
from nova_ha_scheduler.records.server_recovery import SERVER_STATES, ServerState
from tests.lib import diagrams

ROOT = diagrams.PAGE.parents[1]
PACKAGE = ROOT / "nova_ha_scheduler"

TOPS = ("nova_ha_scheduler", "tests", "bench", "demo")

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("states", [HostState, ServerState])
def test_each_state_is_drawn(states: type[HostState | ServerState]) -> None:
    arrows = diagrams.arrows(states)
    assert {end for arrow in arrows for end in arrow} == {s.value for s in states}


@pytest.mark.parametrize("states", [WindowState, MoveState])
def test_each_state_is_listed(states: type[WindowState | MoveState]) -> None:
    words = ", ".join(state.value for state in states)
    text = " ".join(diagrams.PAGE.read_text().split())
    assert f"`{states.__name__}` ({words})" in text


def test_each_state_is_told_and_has_a_function() -> None:
    assert set(HOST_STATES) == set(HostState)
    assert set(SERVER_STATES) == set(ServerState)
    assert set(MOVE_STATES) == set(MoveState)
    assert set(WINDOW_STATES) == set(WindowState)
    assert set(host_states.FUNCTIONS) == set(HostState) - {HostState.CLOSED}
    assert set(server_states.FUNCTIONS) == set(ServerState)
    for state, function in host_states.FUNCTIONS.items():
        assert function.__name__ == state.value


def test_the_file_of_each_function_is_named() -> None:
    text = diagrams.PAGE.read_text()
    for function in (
        *host_states.FUNCTIONS.values(),
        *server_states.FUNCTIONS.values(),
        *window_states.FUNCTIONS.values(),
        *move_states.FUNCTIONS.values(),
    ):
        file = Path(inspect.getfile(function)).relative_to(ROOT)
        assert f"](../{file})" in text


def _tables() -> Iterator[tuple[Path, str]]:
    """Each package whose docstring has a table, and each name in its first column."""
    for path in sorted(ROOT.glob("nova_ha_scheduler/**/__init__.py")):
        text = ast.get_docstring(ast.parse(path.read_text())) or ""
        table = re.search(r"^==+ +=+$.*?^==+ +=+$", text, re.MULTILINE | re.DOTALL)
        for line in table[0].splitlines()[1:-1] if table else ():
            if not line.startswith(" "):
                cell = re.split(r" {2,}", line)[0]
                yield from ((path.parent, n) for n in re.findall(r"\w+", cell))


@pytest.mark.parametrize(("package", "name"), _tables())
def test_what_a_package_lists_is_there(package: Path, name: str) -> None:
    assert (package / name).is_dir() or (package / f"{name}.py").exists()


def test_the_layers_are_those_of_the_lint_step() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    contracts = tool["importlinter"]["contracts"]
    layers = [set(re.findall(r"\w+", one)) for c in contracts for one in c["layers"]]
    part = diagrams.PAGE.read_text().partition("## What may import what\n")[2]
    cells = re.findall(r"^\| (`[^|]+) \|", part, re.MULTILINE)
    assert [set(re.findall(r"\w+", cell)) for cell in cells] == layers


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    links = {found[1] for found in _LINK.finditer(page.read_text())}
    assert {link for link in links if not (page.parent / link).exists()} == set()


def test_no_two_classes_share_a_name() -> None:
    found = Counter(
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, times in found.items() if times > 1] == []


_BY_SUBJECT = ("cli", "doctor", "weighers")
"""Their files have the name of what they show, check or weigh."""


def test_no_two_files_share_a_name() -> None:
    files = (
        p for p in PACKAGE.rglob("*.py") if p.name not in ("__init__.py", "conf.py")
    )
    found = defaultdict[str, list[Path]](list)
    for path in files:
        found[path.name].append(path.relative_to(PACKAGE))
    others = {
        name: [path for path in paths if path.parts[0] not in _BY_SUBJECT]
        for name, paths in found.items()
    }
    assert {name: paths for name, paths in others.items() if len(paths) > 1} == {}


def test_no_reason_steers() -> None:
    """A record has no second state: what decides is its phase."""
    compared = {
        f"{path.stem}: {ast.unparse(node)}"
        for package in ("evacuation", "records")
        for path in (PACKAGE / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare) and "Reason." in ast.unparse(node)
    }
    assert compared == set()


def test_no_file_is_too_long() -> None:
    files = (p for top in TOPS for p in (ROOT / top).rglob("*.py"))
    lines = {path: len(path.read_text().splitlines()) for path in files}
    assert {path for path, many in lines.items() if many > 400} == set()
