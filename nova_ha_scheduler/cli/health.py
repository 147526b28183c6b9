# SPDX-License-Identifier: Apache-2.0
"""``nova-ha health``: for monitoring, and for people in a hurry."""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from cliff.show import ShowOne
from oslo_config import cfg

from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.values import Rows
from nova_ha_scheduler.health import file
from nova_ha_scheduler.health.conf import DIRECTORY
from nova_ha_scheduler.health.judgement import cannot_tell, judge
from nova_ha_scheduler.health.problems import Code
from nova_ha_scheduler.journal import JournalError, WrongDatabase

_TABLE = "table"


def advice(problem: dict[str, Any]) -> str:
    """A problem for people."""
    return f"{problem['what']}: {problem['todo']}"


class Health(BaseCommand, ShowOne):
    """Say on one line whether the protected hosts are protected now.

    The answer is from the journal. A user who may not read nova-ha.conf gets that of
    the file which the trigger of this machine keeps for everybody. With -f json: each
    problem, since when, and what to do. nova-ha status says what to do, too.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)

        def error(message: str) -> NoReturn:
            parser.print_usage()
            # 2 would be an alarm.
            parser.exit(Code.CANNOT_TELL, f"{parser.prog}: error: {message}\n")

        parser.error = error  # type: ignore[method-assign]
        return parser

    def arguments(self, add: Callable[..., Any]) -> None:
        add(
            "--file",
            type=Path,
            metavar="PATH",
            help="read this file, which a trigger has written ([health] directory), "
            "and nothing else",
        )

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        try:
            found = self._found(args.file)
        except Exception as error:  # any other exit code would be an answer
            words = str(error) or type(error).__name__
            found = file.plain(cannot_tell(words))
        self.code = found["code"]
        found["problems"] = Rows(found["problems"], advice)
        return tuple(found), tuple(found.values())

    def produce_output(
        self, args: argparse.Namespace, names: Sequence[str], data: Sequence[Any]
    ) -> int:
        if args.formatter == _TABLE and not args.columns:
            print(data[names.index("line")], file=self.app.stdout)
            return 0
        return super().produce_output(args, names, data)

    def _found(self, path: Path | None) -> dict[str, Any]:
        if path is not None:
            return file.read(path, time.time())
        try:
            conf = self.app.conf
        except cfg.ConfigFilesPermissionDeniedError:
            conf = None
        if conf is None or not conf.config_file:
            return file.read(Path(DIRECTORY, file.NAME), time.time())
        return self._by(conf)

    def _by(self, conf: cfg.ConfigOpts) -> dict[str, Any]:
        """What the journal says; where it cannot be read, what the file does, which
        may know more: who cannot read it, and why, is not always the trigger."""
        # SQL takes long to import, and what only reads the file needs none.
        from nova_ha_scheduler.journal import health_facts
        from nova_ha_scheduler.journal.store import SqlJournal

        now = time.time()
        try:
            journal = SqlJournal(self.app.database, conf.journal.lease_timeout)
            return file.plain(judge(health_facts.gather(journal, now), now))
        except WrongDatabase as error:  # health.json is another trigger's then
            return file.plain(cannot_tell(str(error)))
        except JournalError as error:
            if conf.health.directory:
                found = file.read(Path(conf.health.directory, file.NAME), now)
                if found["code"] != Code.CANNOT_TELL:
                    return found
            return file.plain(cannot_tell(str(error)))
