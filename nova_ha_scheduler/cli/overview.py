# SPDX-License-Identifier: Apache-2.0
"""``nova-ha --help``: all commands, none of which is imported for it.

What each one is for stands in its docstring, which is read in its module's source.
"""

import ast
import contextlib
import difflib
import functools
import inspect
import itertools
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from importlib import metadata, util
from pathlib import Path
from typing import Any

import autopage.argparse
import cliff.app
from cliff.commandmanager import CommandManager
from cliff.help import HelpCommand

from nova_ha_scheduler import exits

_LEAST = 20
"""Columns for what a command is for, however narrow the terminal is."""


def show(app: cliff.app.App, entries: Mapping[str, metadata.EntryPoint]) -> None:
    """The program's own options and all commands, in a pager on a terminal.

    :param entries: where those commands are that are not imported yet.
    """
    lines = {name: _described(entry) for name, entry in entries.items()}
    for name, command in app.command_manager:
        if name not in lines:
            lines[name] = _first(inspect.getdoc(command.load()))
    width = max(map(len, lines))
    size = max(_LEAST, shutil.get_terminal_size().columns - width - 4)
    pager = autopage.argparse.help_pager(app.stdout)
    autopage.argparse.use_color_for_parser(app.parser, pager.to_terminal())
    with pager as out:
        app.parser.print_help(out)
        out.write("\nCommands:\n")
        for name, line in sorted(lines.items()):
            for part in textwrap.wrap(line, size):
                out.write(f"  {name:{width}}  {part}\n")
                name = ""


class Help(HelpCommand):
    """print detailed help for another command"""

    def take_action(self, parsed_args: Any) -> int:
        words, known = parsed_args.cmd, [name for name, _ in self.app.command_manager]
        if not words:
            self.app.show_overview()
            return exits.DONE
        try:
            self.app.command_manager.find_command(words)
        except ValueError:
            if not any(name.startswith(f"{' '.join(words)} ") for name in known):
                print(unknown(words, known), file=sys.stderr)
                return exits.WRONG
        return int(super().take_action(parsed_args))


def named(words: Sequence[str], commands: CommandManager) -> list[str]:
    """The command alone, of words that begin with one; of others, all up to the first
    option."""
    said = list(itertools.takewhile(lambda word: not word.startswith("-"), words))
    with contextlib.suppress(ValueError):
        _, name, _ = commands.find_command(said)
        return list(name.split())
    return said


def unknown(words: Sequence[str], known: Sequence[str]) -> str:
    """What is said of a command that is none: those that may be meant, too.

    :param words: of the command, and perhaps options and arguments behind.
    """
    said = list(itertools.takewhile(lambda word: not word.startswith("-"), words))
    said = said or list(words[:1])
    firsts = {name.partition(" ")[0] for name in known}
    near = difflib.get_close_matches(said[0], firsts, 1)
    found = difflib.get_close_matches(" ".join(said), known, 1)
    found += sorted(name for name in known if name.partition(" ")[0] in near)
    meant = f" (did you mean {', or '.join(dict.fromkeys(found))}?)" if found else ""
    name = " ".join(said)
    return f"nova-ha: there is no command {name}{meant}; nova-ha --help lists all"


def _described(entry: metadata.EntryPoint) -> str:
    """The first line of a command's docstring; of one without source: import it."""
    module, _, name = entry.value.partition(":")
    for node in _source(module):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return _first(ast.get_docstring(node))
    return _first(inspect.getdoc(entry.load()))


@functools.cache
def _source(module: str) -> list[ast.stmt]:
    found = util.find_spec(module)
    if found is None or found.origin is None or not found.has_location:
        return []
    path = Path(found.origin)
    return ast.parse(path.read_bytes()).body if path.suffix == ".py" else []


def _first(docstring: str | None) -> str:
    return (docstring or "").partition("\n")[0].rstrip(".")
