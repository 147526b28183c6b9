# SPDX-License-Identifier: Apache-2.0
"""One real Nova for the tests of the launcher itself."""

from collections.abc import Iterator

import pytest

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
