# SPDX-License-Identifier: Apache-2.0
"""One real Nova for the tests of the launcher itself."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.cloud.actions import Boot, Crash
from tests.lib.cloud import Cloud

CELLS = {
    "cell1": ["host1", "host2", "host3", "host4", "host5", "host6"],
    "cell2": ["other1", "other2"],
}
ZONES = {
    **dict.fromkeys(["host1", "host2", "host3"], "nfs-a"),
    **dict.fromkeys(["host4", "host5"], "nfs-b"),
    **dict.fromkeys(["other1", "other2"], "nfs-c"),
}

#: Seconds; short, for tests that watch heartbeats.
REPORT_INTERVAL = 2


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    state = tmp_path_factory.mktemp("cloud")
    conf = {"DEFAULT": {"report_interval": REPORT_INTERVAL}}
    with Cloud(state, CELLS, ZONES, conf) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def flavor(cloud: Cloud) -> str:
    return cloud.flavor("test-cloud")


@pytest.fixture
def boot(cloud: Cloud, flavor: str) -> Iterator[Boot]:
    """Boot servers that are deleted when the test ends; the function returns an id."""
    booted: list[str] = []

    def boot(**request: Any) -> str:
        server = cloud.boot("test", flavor, **request)
        booted.append(server["id"])
        return booted[-1]

    yield boot
    for server in booted:
        cloud.delete(server)


@pytest.fixture
def crash(cloud: Cloud) -> Iterator[Crash]:
    """Crash hosts and force them down; they are brought back when the test ends."""
    crashed: list[str] = []

    def crash(host: str) -> None:
        crashed.append(host)
        cloud.crash(host)
        cloud.force_down(host)

    yield crash
    for host in crashed:
        if not cloud.is_running(host):
            cloud.revive(host)
        cloud.force_down(host, False)
