# SPDX-License-Identifier: Apache-2.0
"""What Nova says of a failure."""

from typing import Any

import pytest

from nova_ha_scheduler.cluster.openstack import parse


def event(result: str | None, details: str | None, finish_time: str | None) -> Any:
    return {"result": result, "details": details, "finish_time": finish_time}


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], ""),
        ([event("Success", None, "2026-01-01T00:00:01")], ""),
        ([event(None, None, None)], ""),
        ([event("Error", None, "2026-01-01T00:00:01")], ""),
        (
            [
                event("Error", "Passed on.", "2026-01-01T00:00:02"),
                event("Error", "No valid host\nwas found.", "2026-01-01T00:00:01"),
            ],
            "No valid host was found",
        ),
        ([event("Error", "x" * 300, "2026-01-01T00:00:01")], "x" * 200 + "..."),
        ([{"result": "Error", "finish_time": None}], ""),
    ],
)
def test_why_it_failed(events: Any, words: str) -> None:
    """Newest first, as Nova shows them; details only to whom its policy says."""
    assert parse.failure(events) == words
