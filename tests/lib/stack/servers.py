# SPDX-License-Identifier: Apache-2.0
"""The stack's tags and servers, as its operator and its tenants make them."""

import time
from collections.abc import Iterable, Mapping

from tests.lib.cloud.client import Client
from tests.lib.stack.site import Layout

FLAVOR, BIGGER = "ha", "ha-bigger"  # of protected servers


def tag(client: Client, layout: Layout) -> None:
    """Put each host into the aggregates of its zone, and of the reserve."""
    for zone in sorted(set(layout.zones.values())):
        hosts = [host for host, its in layout.zones.items() if its == zone]
        client.aggregate(zone, {"storage_zone": zone, "ha": "true"}, hosts)
    client.aggregate("reserve", {"ha:reserved": "true"}, layout.reserve)
    client.flavor(FLAVOR, {"ha": "true"})
    client.flavor(BIGGER, {"ha": "true"}, vcpus=2)


def boot(client: Client, host: str, number: int, flavor: str = FLAVOR) -> set[str]:
    """Boot servers on a host; return their ids when all are active."""
    found = client.openstack().compute.find_flavor(flavor, ignore_missing=False)
    client.create(host, found.id, host=host, min_count=number, max_count=number)

    def active() -> set[str] | None:
        time.sleep(1)  # others want the machine, too
        here = ids(client, host=host, status="ACTIVE")
        return here if len(here) == number else None

    return client.wait(f"{number} servers on {host}", active)


def ids(client: Client, **filters: str) -> set[str]:
    """The ids of some servers, or of all; far cheaper than servers()."""
    chosen = "".join(f"&{key}={value}" for key, value in filters.items())
    answer = client.nova("GET", f"/servers?all_tenants=1{chosen}")
    answer.raise_for_status()
    return {server["id"] for server in answer.json()["servers"]}


def servers(client: Client, host: str | None = None) -> Mapping[str, dict[str, str]]:
    """All servers by id, or those that Nova has on a host."""
    chosen = f"&host={host}" if host else ""
    answer = client.nova("GET", f"/servers/detail?all_tenants=1{chosen}")
    answer.raise_for_status()
    return {server["id"]: server for server in answer.json()["servers"]}


def by_name(client: Client, host: str) -> list[str]:
    """The ids of a host's servers in the order in which a recovery asks for them."""
    found = servers(client, host)
    return sorted(found, key=lambda each: (found[each]["name"], each))


def stop(client: Client, chosen: Iterable[str]) -> None:
    """Stop servers, as their owners do; return when they are."""
    for each in chosen:
        client.openstack().compute.stop_server(each)
    for each in chosen:
        client.wait_status(each, "SHUTOFF")


def delete_all(client: Client) -> None:
    """Return when no server is left; their hosts have to be up."""
    for each in ids(client):
        client.nova("DELETE", f"/servers/{each}")
    client.wait("servers deleted", lambda: not ids(client))
