# SPDX-License-Identifier: Apache-2.0
"""``nova-ha check``."""

import argparse
from collections.abc import Callable
from typing import Any

from cliff.lister import Lister
from oslo_config import cfg

from nova_ha_scheduler.cli.app import Command
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.evacuation.startup import Parts
from nova_ha_scheduler.journal import JournalError

_PROBLEMS = (cfg.Error, CloudUnreachable, JournalError)


class Check(Command, Lister):
    """Try the configuration, the journal, the cloud and every fence device.

    Nothing is changed. Exit code 1 if anything is not as it should be.
    """

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        self._rows: list[tuple[str, bool, str]] = []
        found: list[Parts] = []
        self._try("configuration", lambda: found.append(Parts(self.app.conf)))
        for parts in found:
            self._try("journal", parts.database.check)
            self._try("cloud and fencing methods", parts.require_methods)
            broken = parts.fencing.broken(parts.conf.fencing.check_parallelism)
            for host in parts.fencing.with_device:
                ok = host not in broken
                self._rows.append((f"fence device of {host}", ok, broken.get(host, "")))
        self.code = int(not all(ok for _, ok, _ in self._rows))
        return ("what", "ok", "detail"), self._rows

    def _try(self, what: str, do: Callable[[], object]) -> None:
        try:
            do()
            self._rows.append((what, True, ""))
        except _PROBLEMS as error:
            self._rows.append((what, False, str(error)))
