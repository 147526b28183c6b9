# SPDX-License-Identifier: Apache-2.0
"""Names of hosts and servers that people ask the history for: a name that nobody knows
is a mistake, and no empty list.

The history knows hosts that the cloud has no more. The cloud is asked only for a name
that is not in the history.
"""

import sys
from collections.abc import Callable, Collection

from nova_ha_scheduler.cli.app import Configured
from nova_ha_scheduler.cli.quick_look import QuickLook
from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.host_names import UnknownName
from nova_ha_scheduler.journal.history import History, HistoryQuery


def require_host(app: Configured, history: History, host: str) -> None:
    """Make sure that there is, or was, a host of exactly this name.

    :raises UnknownName: neither the history nor the cloud knows one.
    """
    known = history.hosts()
    if host not in known:
        _ask(f"host {host}", host, known, lambda: _hosts(app))


def require_server(app: Configured, history: History, server: str) -> None:
    """The same of a server, by its id or its exact name."""
    known = history.known_servers()
    if server not in known:
        _ask(f"server {server}", server, known, lambda: _servers(app, server))


def no_recovery(history: History, name: str) -> UnknownName:
    """Of a name that is neither a recovery's nor that of a host with one."""
    hosts = {record.host for record in history.recoveries(HistoryQuery(limit=None))}
    return UnknownName(f"there is no recovery {name}{host_names.hint(name, hosts)}")


def _ask(
    what: str,
    name: str,
    known: Collection[str],
    cloud: Callable[[], Collection[str]],
) -> None:
    try:
        found = cloud()
    except CloudUnreachable as error:
        words = f"the history knows no {what}{host_names.hint(name, known)}"
        print(f"warning: {words}; whether there is one: {error}", file=sys.stderr)
        return
    if name not in found:
        hint = host_names.hint(name, {*known, *found})
        raise UnknownName(f"neither the history nor the cloud knows a {what}{hint}")


def _hosts(app: Configured) -> Collection[str]:
    return QuickLook(app.conf).hosts().hosts


def _servers(app: Configured, said: str) -> Collection[str]:
    found = QuickLook(app.conf).servers_named(said)
    return {word for server in found for word in (server.uuid, server.name)}
