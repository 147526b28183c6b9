# SPDX-License-Identifier: Apache-2.0
"""``openstack ha ...``: the commands of ``nova-ha`` in the OpenStack client.

They go by nova-ha.conf, and not by the client's own login. The client loads every
command of every plugin each time that it starts; what stands here for a command is
light, and imports it when it is run.
"""

import argparse
from importlib import metadata
from typing import Any

API_NAME = "nova_ha"
API_VERSION_OPTION = "os_nova_ha_api_version"
API_VERSIONS = {"1": "nova_ha_scheduler.cli.osc"}
DEFAULT_API_VERSION = "1"

GROUP = "openstack.nova_ha.v1"
"""Of the entry points: each names a command of nova_ha.cli here, with _ for -."""

PREFIX = "ha "


def make_client(instance: Any) -> None:
    """The commands have no client of the OpenStack client's."""


def build_option_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """With the option that the program nova-ha has, too."""
    parser.add_argument(
        "--nova-ha-config-file",
        action="append",
        default=[],
        metavar="PATH",
        help="Of the ha commands. Default: /etc/nova-ha-scheduler/nova-ha.conf. May be "
        "repeated.",
    )
    return parser


def __getattr__(name: str) -> Any:
    """What stands for a command. :raises AttributeError: there is no such command."""
    for entry in metadata.entry_points(group="nova_ha.cli"):
        if entry.name.replace("-", "_") == name:
            return _stands_for(entry)
    raise AttributeError(f"there is no command {name}")


def _stands_for(entry: metadata.EntryPoint) -> type:
    class Later:
        """Makes the command that it stands for."""

        def __new__(
            cls, app: Any, app_args: Any, cmd_name: str | None = None
        ) -> "Later":
            from nova_ha_scheduler.cli import app as program

            command = program.loaded(entry, "openstack ha")
            found: Later = command(program.Guest(app), app_args, cmd_name)
            return found

        # The client looks here for what it may give.
        def __init__(
            self, app: Any, app_args: Any, cmd_name: str | None = None
        ) -> None:
            raise NotImplementedError  # of a command, its own is called

    return Later
