# SPDX-License-Identifier: Apache-2.0
"""``nova-ha permission list``: what the trigger's user has to be allowed."""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

from cliff.lister import Lister

from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cluster.openstack import calls


class ListPermissions(BaseCommand, Lister):
    """List each request that the trigger and the commands send to OpenStack.

    With -f json -c service -c method -c path, it is what openstack application
    credential create --access-rules takes. Paths are those of services with ports of
    their own; --from-cloud takes them from the catalog, and leaves out services that
    are not in it.
    """

    short = ("service", "method", "path", "rules")

    def arguments(self, add: Callable[..., Any]) -> None:
        help = "log in as nova-ha.conf says, and go by the catalog"
        add("--from-cloud", action="store_true", help=help)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        places = dict(self._asked() if args.from_cloud else calls.CATALOG.items())
        rows = []
        for call in calls.CALLS:
            if call.service in places:
                kind, prefix = places[call.service]
                path, rules = f"{prefix}{call.path}", "\n".join(call.rules)
                rows.append((kind, call.method, path, rules, call.why))
        return ("service", "method", "path", "rules", "why"), rows

    def _asked(self) -> Iterator[tuple[str, tuple[str, str]]]:
        # What does not ask the cloud does not wait for its libraries.
        from nova_ha_scheduler.service import parts

        api = parts.cloud(self.app.conf)
        for service in calls.CATALOG:
            if found := api.endpoint(service):
                yield service, found
