# SPDX-License-Identifier: Apache-2.0
"""The program, and what its commands share."""

import argparse
import logging
import sys
from functools import cached_property
from importlib import metadata
from typing import Any

from cliff.app import App
from cliff.commandmanager import CommandManager
from oslo_config import cfg

from nova_ha_scheduler.evacuation import startup
from nova_ha_scheduler.journal.database import Database


class NovaHA(App):
    """Every command has ``-f json``."""

    def __init__(self) -> None:
        super().__init__(
            description="High availability of Nova's servers",
            version=metadata.version(startup.PROJECT),
            command_manager=CommandManager("nova_ha.cli"),
            deferred_help=True,
        )

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

    @cached_property
    def conf(self) -> cfg.ConfigOpts:
        """The configuration. :raises cfg.Error: it names the file or option."""
        files = self.options.config_file
        return startup.load("nova-ha", [f"--config-file={path}" for path in files])

    @cached_property
    def database(self) -> Database:
        """The journal's. :raises JournalError: it is not there, or not usable."""
        database = Database(self.conf)
        database.check()
        return database


def main() -> int:
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of each look
    return int(NovaHA().run(sys.argv[1:]))
