# SPDX-License-Identifier: Apache-2.0
"""What the pages have people type are commands and options that there are.

A line of a block that begins with nova-ha is parsed as the command does it, and so is
one in a sentence that names the HOST: somebody types it when a host is dead. Of what
else stands in a sentence, or has "..." in it, the command and its options are looked
up."""

import argparse
import contextlib
import functools
import io
import re
import shlex
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from nova_ha_scheduler.cli.app import NovaHA
from nova_ha_scheduler.service.monitoring.page_data import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
ENTRIES = {
    entry.name.replace("_", " "): entry
    for entry in metadata.entry_points(group="nova_ha.cli")
}
NOT_OURS = {"complete", "help", "COMMAND", "history", "maintenance", "guard"}
"""cliff's own, and the first words of commands that have two."""

_TYPED = re.compile(
    r"^(?:    |\$ )?(?:sudo -u nova-ha |runuser -u nova-ha -- )?(nova-ha .+)$",
    re.MULTILINE,
)
_QUOTED = re.compile(r"`(nova-ha [^`]+)`")
_OPTION = re.compile(r"(?<=\s)--[a-z][a-z-]*|(?<=\s)-[a-z]\b")


@functools.cache
def _parser(name: str) -> argparse.ArgumentParser:
    command = ENTRIES[name].load()
    parser = command(NovaHA(), None, cmd_name=name).get_parser(name)
    assert isinstance(parser, argparse.ArgumentParser)
    return parser


def _command(line: str) -> tuple[str, str]:
    """A line's command, and what follows it. :raises AssertionError: there is none."""
    for name in sorted(ENTRIES, key=len, reverse=True):
        if f"{line} ".startswith(f"nova-ha {name} "):
            return name, line.removeprefix(f"nova-ha {name}")
    word = line.split()[1]
    assert word in NOT_OURS or word.startswith("-"), line
    return "", ""


def _lines(page: Path) -> Iterator[tuple[str, bool]]:
    """Each, and whether it is one to type as it stands."""
    text = page.read_text()
    for line in _TYPED.findall(text):
        said = re.sub(r"\s+#.*$| [|>]+.*$", "", line)
        yield said, not re.search(r"\.\.\.|…|\b[A-Z]{3,}\b", said)
    for line in _QUOTED.findall(text):
        said = " ".join(line.split())
        yield said, "HOST" in said and not re.search(r"\.\.\.|…", said)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_command_of_a_page_is_one(page: Path) -> None:
    for line, whole in _lines(page):
        name, rest = _command(line)
        if not name:
            continue
        parser = _parser(name)
        unknown = {*_OPTION.findall(rest)} - {*parser._option_string_actions}
        assert not unknown, line
        if whole:
            with contextlib.redirect_stderr(io.StringIO()) as said:
                try:
                    given = parser.parse_args(shlex.split(rest))
                except SystemExit:
                    pytest.fail(f"{line}\n{said.getvalue()}")
            if name == "evacuate" and not given.dry_run:
                assert given.confirm_fenced, line
                assert given.by, line
                assert given.reason, line


@pytest.mark.parametrize("line", sorted(set(COMMANDS.values())))
def test_what_is_to_be_typed_about_a_problem(line: str) -> None:
    name, rest = _command(line) if line.startswith("nova-ha ") else ("", "")
    if name:
        _parser(name).parse_args(shlex.split(rest.format(host="compute1")))


def test_there_is_something_to_type() -> None:
    found = [whole for page in PAGES for _, whole in _lines(page)]
    assert sum(found) > 60
    assert len(found) > 250
