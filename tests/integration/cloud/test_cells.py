# SPDX-License-Identifier: Apache-2.0
"""The launcher itself: cells, their databases, and heartbeats."""

import sqlite3
import time
from typing import Any

from tests.integration.cloud.actions import Boot, Crash, act, evacuate
from tests.integration.cloud.conftest import REPORT_INTERVAL
from tests.lib.cloud import Cloud


class TestSecondCell:
    """cell2's servers live in cell2's database and move within it."""

    def test_hosts_are_mapped_to_their_cells(self, cloud: Cloud) -> None:
        for cell, hosts in cloud.cells.items():
            assert rows(cloud, cell, "select host from compute_nodes") == set(hosts)

    def test_servers_are_in_the_database_of_their_cell(
        self, cloud: Cloud, boot: Boot
    ) -> None:
        first, second = boot(host="host1"), boot(host="other1")
        query = "select uuid from instances where deleted = 0"
        assert first in rows(cloud, "cell1", query) - rows(cloud, "cell2", query)
        assert second in rows(cloud, "cell2", query) - rows(cloud, "cell1", query)

    def test_live_and_cold_migration(self, cloud: Cloud, boot: Boot) -> None:
        server = boot(host="other1")
        before = cloud.disk(server).read_bytes()
        act(cloud, server, "os-migrateLive", {"host": None, "block_migration": "auto"})
        cloud.wait("live migration", lambda: cloud.host(server) == "other2")
        cloud.wait_status(server, "ACTIVE")
        act(cloud, server, "migrate")
        cloud.wait_status(server, "VERIFY_RESIZE")
        act(cloud, server, "confirmResize")
        cloud.wait_status(server, "ACTIVE")
        assert cloud.host(server) == "other1"
        assert cloud.disk(server).read_bytes() == before

    def test_evacuation(self, cloud: Cloud, boot: Boot, crash: Crash) -> None:
        server = boot(host="other1")
        before = cloud.disk(server).read_bytes()
        crash("other1")
        evacuate(cloud, server)
        assert cloud.host(server) == "other2"
        assert cloud.disk(server).read_bytes() == before

    def test_heartbeats_go_to_the_database_of_the_cell(self, cloud: Cloud) -> None:
        before = heartbeats(cloud, "cell2")
        assert set(before) == set(cloud.cells["cell2"])
        cloud.wait(
            "heartbeats of cell2",
            lambda: all(
                count > before[host]
                for host, count in heartbeats(cloud, "cell2").items()
            ),
        )
        assert not before.keys() & heartbeats(cloud, "cell1").keys()


def test_crashed_host_is_silent(cloud: Cloud) -> None:
    cloud.crash("host3")
    try:
        before = heartbeats(cloud, "cell1")
        time.sleep(3 * REPORT_INTERVAL)
        after = heartbeats(cloud, "cell1")
        assert after["host3"] == before["host3"]
        assert after["host1"] > before["host1"]
    finally:
        cloud.revive("host3")


def rows(cloud: Cloud, cell: str, query: str) -> set[Any]:
    """Return the first column that a cell's database file itself answers with."""
    return {row[0] for row in select(cloud, cell, query)}


def heartbeats(cloud: Cloud, cell: str) -> dict[str, int]:
    """Return how often each compute has reported to a cell's database."""
    query = "select host, report_count from services where binary = 'nova-compute'"
    return dict(select(cloud, cell, query))


def select(cloud: Cloud, cell: str, query: str) -> list[Any]:
    connection = sqlite3.connect(cloud.state_dir / f"nova_{cell}.sqlite")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
