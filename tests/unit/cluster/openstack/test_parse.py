# SPDX-License-Identifier: Apache-2.0
"""What Nova says of a failure, and of what was ordered."""

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


@pytest.mark.parametrize(
    ("actions", "runs"),
    [
        ([], None),
        (["evacuate"], None),
        (["create"], True),
        (["evacuate", "stop", "create"], False),
        (["resetState", "createImage", "start", "stop", "create"], True),
        (["stop Error", "reboot", "stop", "create"], True),
        (["evacuate Error", "start Error", "stop", "create"], False),
        (["stopped", 7, None, {"action": ["stop"]}, "unshelve", "shelve"], True),
    ],
)
def test_what_was_ordered_last(actions: list[Any], runs: bool | None) -> None:
    """Newest first; what moves a server, or fails, says nothing of its power."""
    found = parse.ordered(map(_action, actions))
    assert (found and found[0]) is runs


def test_nova_stops_by_itself_what_does_not_run() -> None:
    """It acts as nobody then (nova.compute.manager: get_admin_context())."""
    stop = {"action": "stop", "user_id": None, "message": None}
    assert parse.ordered([stop]) == (False, False)
    assert parse.ordered([{**stop, "user_id": "ann"}]) == (False, True)


def _action(said: Any) -> Any:
    if not isinstance(said, str):
        return said
    action, _, message = said.partition(" ")
    return {"action": action, "message": message or None}
