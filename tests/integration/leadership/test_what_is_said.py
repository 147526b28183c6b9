# SPDX-License-Identifier: Apache-2.0
"""What an operator reads while the cloud is out of order: one line, and what to do."""

from tests.integration.leadership.conftest import Site  # isort: skip

from pathlib import Path

import pytest

from nova_ha_scheduler.health.troubles import Trouble
from nova_ha_scheduler.journal.history import History, HistoryQuery
from tests.lib.backends import Backend
from tests.lib.recorder import HANG
from tests.lib.waiting import wait

WHAT, TODO, OVER = Trouble.CLOUD.value

UNAUTHORIZED = "401 Unauthorized"


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/journal.sqlite"


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"compute": "500 Internal Server Error"}, "compute GET /"),
        ({"compute": "503 Service Unavailable"}, "503"),
        ({"compute": HANG}, "timed out"),
        ({"placement": "503 Service Unavailable"}, "placement GET /"),
        # A password that was changed; a token that has merely expired is no fault.
        ({"compute": UNAUTHORIZED, "identity": UNAUTHORIZED}, "401"),
    ],
    ids=["500", "503", "hangs", "placement", "password"],
)
def test_one_line_says_it(site: Site, faults: dict[str, str], words: str) -> None:
    site.start_leader("first", Backend())
    wait("looks", lambda: site.cloud.nova.looks > 5)
    site.cloud.faults.update(faults)
    wait("a word of it", lambda: WHAT in site.log("first"))
    failed = site.cloud.failed
    wait("more tries", lambda: site.cloud.failed > failed + 3)
    site.cloud.faults.clear()
    wait("its end", lambda: OVER in site.log("first"))
    (line,) = (x for x in site.log("first").splitlines() if WHAT in x)
    assert words in line
    assert line.endswith(TODO)
    assert "Traceback" not in site.log("first")
    wait("it in the history", lambda: "detector.sighted" in events(site))
    told = events(site)
    assert WHAT in told["detector.blind"]
    assert told["detector.blind"].endswith(TODO)
    assert told["detector.sighted"] == OVER


def events(site: Site) -> dict[str, str]:
    found = History(site.database).events(HistoryQuery(limit=None))
    return {event.kind.value: event.reason for _, event in found}


def test_a_token_that_has_expired_is_renewed(site: Site) -> None:
    site.start_leader("first", Backend())
    wait("looks", lambda: site.cloud.nova.looks > 5)
    site.cloud.expire_tokens()
    looks = site.cloud.nova.looks
    wait("looks", lambda: site.cloud.nova.looks > looks + 5)
    assert site.cloud.failed >= 1
    assert WHAT not in site.log("first")
    assert "Traceback" not in site.log("first")
