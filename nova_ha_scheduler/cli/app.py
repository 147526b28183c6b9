# SPDX-License-Identifier: Apache-2.0
"""The program, and what its commands share."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import metadata
from typing import TYPE_CHECKING, Any, TextIO

import cliff.app
import cliff.command
from cliff.commandmanager import CommandManager
from cliff.help import HelpExit
from cliff.lister import Lister

from nova_ha_scheduler import exits, launch
from nova_ha_scheduler.cli import osc, overview
from nova_ha_scheduler.cli.table import Table
from nova_ha_scheduler.cli.values import plain

# Whoever asks for help waits for none of what commands are made with.
if TYPE_CHECKING:
    from oslo_config import cfg

    from nova_ha_scheduler.journal.database import Database

_QUIET = {
    "alembic": logging.WARNING,
    "keystoneauth": logging.CRITICAL,
    "nova_ha_scheduler.service.leader.leadership": logging.WARNING,
    "oslo_service": logging.WARNING,
    "sushy": logging.CRITICAL,
}
"""Who says more than people have asked for: libraries that tell what they do; the
trigger inside a command that waits; keystoneauth, with a guess before each error that
the command shows; sushy, with errors for each look at a BMC without sessions."""


class _Entry:
    """A command that is not imported yet."""

    def __init__(self, entry: metadata.EntryPoint) -> None:
        self.entry = entry

    def load(self) -> Any:
        """The command's class."""
        try:
            return loaded(self.entry, "nova-ha")
        finally:
            launch.imported()


def loaded(entry: metadata.EntryPoint, prog: str) -> Any:
    """The class of a command.

    :raises ImportError: for a ValueError, cliff would know no such command.
    """
    with launch.complete(prog):
        try:
            return entry.load()
        except ValueError as error:
            raise ImportError(f"{entry.value}: {error}") from error


class _Commands(CommandManager):
    """By their words; the module of each is imported when it is run."""

    def load_commands(self, namespace: str) -> None:
        """cliff's own (4.17) imports the modules of all of them."""
        self.group_list.append(namespace)
        for entry in metadata.entry_points(group=namespace):
            self.commands[entry.name.replace("_", " ")] = _Entry(entry)

    def to_import(self) -> dict[str, metadata.EntryPoint]:
        """Where the commands are that are not imported yet."""
        found = self.commands.items()
        return {name: item.entry for name, item in found if isinstance(item, _Entry)}


class Configured:
    """A program that goes by nova-ha.conf.

    :ivar config_files: those that were named.
    :ivar options, stdout: cliff's.
    """

    config_files: Sequence[str]
    options: argparse.Namespace
    stdout: TextIO
    LOG: logging.Logger

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, level in _QUIET.items():
            logging.getLogger(name).setLevel(level)

    @cached_property
    def conf(self) -> "cfg.ConfigOpts":
        """The configuration. :raises cfg.Error: it names the file or option."""
        from nova_ha_scheduler.service import startup

        files = [f"--config-file={path}" for path in self.config_files]
        return startup.load("nova-ha", files)

    @cached_property
    def database(self) -> "Database":
        """The journal's. :raises JournalError: it is not there, or not usable."""
        from nova_ha_scheduler.journal.database import Database

        database = Database(self.conf)
        database.check()
        return database


class Guest(Configured):
    """The OpenStack client, as the commands see it; what is not ours is its own."""

    def __init__(self, host: cliff.app.App) -> None:
        super().__init__()
        self._host = host

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    @property
    def config_files(self) -> Sequence[str]:  # type: ignore[override]
        """Those of its own option, which cli/osc.py declares."""
        found: Sequence[str] = self._host.options.nova_ha_config_file
        return found


class NovaHA(Configured, cliff.app.App):
    """Every command has ``-f json``."""

    command_manager: _Commands

    def __init__(self) -> None:
        super().__init__(
            description="High availability of Nova's servers",
            version=metadata.version(launch.PROJECT),
            command_manager=_Commands("nova_ha.cli"),
            deferred_help=True,
        )
        self.command_manager.add_command("help", overview.Help)

    def build_option_parser(
        self, description: str | None, version: str | None, *args: Any, **kwargs: Any
    ) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().build_option_parser(
            description, version, *args, **kwargs
        )
        parser.add_argument(
            "--config-file",
            action="append",
            default=[],
            metavar="PATH",
            help="Default: /etc/nova-ha-scheduler/nova-ha.conf. May be repeated.",
        )
        return parser

    def show_overview(self) -> None:
        """What there is; no command is imported for it."""
        overview.show(self, self.command_manager.to_import())

    def print_help_if_requested(self) -> None:
        """cliff's own imports all commands."""
        if self.options.deferred_help:
            self.show_overview()
            raise HelpExit

    def run_subcommand(self, argv: list[str]) -> int:
        """Of a command that is none, cliff's own says words that are far from it; and
        asked for the help of one, it wants no argument beside its name."""
        if argv[0] == "help":
            argv = ["help", *overview.named(argv[1:], self.command_manager)]
        try:
            self.command_manager.find_command(argv)
        except ValueError:
            known = [name for name, _ in self.command_manager]
            print(overview.unknown(argv, known), file=sys.stderr)
            return exits.WRONG
        return int(super().run_subcommand(argv))

    @property
    def config_files(self) -> Sequence[str]:  # type: ignore[override]
        """Those of --config-file."""
        found: Sequence[str] = self.options.config_file
        return found


class BaseCommand(cliff.command.Command):
    """What the commands share, beside what cliff's Lister or ShowOne gives each.

    :cvar auth_required: whether the OpenStack client is to log in for it.
    :ivar code: the exit code, where nothing is raised.
    :ivar short: the columns that people see without --long; None: all. Programs see
        all.
    :ivar below: sentences that people read below the table; programs have them in a
        column.
    :ivar empty: what they read where a list has no rows, and nothing has failed.
    """

    app: Configured
    auth_required = False
    code = 0
    short: Sequence[str] | None = None
    below: Sequence[str] = ()
    empty = "none"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        if self.short is not None:
            help = "all columns; a program (-f json) sees them all the same"
            parser.add_argument("--long", action="store_true", help=help)
        self.arguments(parser.add_argument)
        self.parser = parser
        return parser

    def arguments(self, add: Callable[..., Any]) -> None:
        """Declare the command's own arguments, with ArgumentParser.add_argument."""

    def get_epilog(self) -> str:
        return exits.sentence((self.cmd_name or "").removeprefix(osc.PREFIX))

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Any, data: Any
    ) -> int:
        """Show it: to people in a table that fits, to programs as it is."""
        self._require_columns(parsed_args.columns, column_names)
        if parsed_args.formatter == "table":
            self.formatter = Table(self.below, "" if self.code else self.empty)
            if self.is_short(parsed_args):
                parsed_args.columns = list(self.short or column_names)
        elif isinstance(self, Lister):
            data = [plain(tuple(row)) for row in data]
        else:
            data = plain(tuple(data))
        shown: Any = super()
        code = int(shown.produce_output(parsed_args, column_names, data))
        if parsed_args.columns and parsed_args.formatter != "table":
            # Whoever has chosen columns may not have chosen that one.
            for sentence in self.below:
                print(sentence, file=sys.stderr)
        return code

    def is_short(self, args: argparse.Namespace) -> bool:
        """Whether it is for people, who have not asked for other columns."""
        chosen = args.columns or getattr(args, "long", False)
        return args.formatter == "table" and not chosen

    def _require_columns(self, wanted: Sequence[str], known: Sequence[str]) -> None:
        from nova_ha_scheduler import spelling

        names = {name.lower().replace(" ", "_") for name in known}
        for name in wanted:
            if known and name.lower().strip().replace(" ", "_") not in names:
                words = f"there is no column {name}{spelling.hint(name, known)}"
                self.parser.error(f"{words}; there are {', '.join(known)}")

    def run(self, parsed_args: argparse.Namespace) -> int:
        from nova_ha_scheduler.cluster.host_names import UnknownName

        try:
            return super().run(parsed_args) or self.code
        except UnknownName as error:
            print(error, file=sys.stderr)
            return exits.WRONG
        except Exception as error:
            if not _is_wrong_configuration(error):
                raise
            self.app.LOG.error(error, exc_info=self.app.options.debug)
            return exits.WRONG


def _is_wrong_configuration(error: Exception) -> bool:
    """Without importing what was not needed so far."""
    cfg = sys.modules.get("oslo_config.cfg")
    return cfg is not None and isinstance(error, cfg.Error)


def main() -> int:
    # Without arguments, cliff would open a prompt.
    return int(NovaHA().run(sys.argv[1:] or ["--help"]))


if __name__ == "__main__":
    sys.exit(main())
