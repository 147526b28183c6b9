# SPDX-License-Identifier: Apache-2.0
"""``nova-ha snapshot``."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cliff.show import ShowOne

from nova_ha_scheduler.cli import clouds
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.values import Moment
from nova_ha_scheduler.cluster import snapshot
from nova_ha_scheduler.cluster.anonymise import anonymise


class Snapshot(BaseCommand, ShowOne):
    """Keep a picture of the whole cloud in a file, for plan, capacity and the others.

    JSON, readable for you alone: it names the servers of all tenants.
    """

    def arguments(self, add: Callable[..., Any]) -> None:
        add("file", type=Path, metavar="FILE", help="replaced if it exists")
        add(
            "--anonymise",
            action="store_true",
            help="replace all names and uuids by numbers, to be given away",
        )
        clouds.arguments(add)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        picture = clouds.load(self.app.conf, args)
        if args.anonymise:
            picture = anonymise(picture)
        snapshot.write(args.file, snapshot.dump(picture))
        return ("file", "taken_at", "hosts", "servers"), (
            str(args.file),
            Moment(picture.taken_at or None),
            len(picture.hosts),
            len(picture.servers),
        )
