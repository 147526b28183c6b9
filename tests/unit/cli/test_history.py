# SPDX-License-Identifier: Apache-2.0
"""``nova-ha history``."""

from pathlib import Path

import pytest

from nova_ha_scheduler.cli import history_rows
from nova_ha_scheduler.journal.outbox import Outbox
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.state import Change
from tests.unit.cli.conftest import Site

LISTENS = "[oslo_messaging_notifications]\ntransport_url = rabbit://nowhere/\n"
SENDS = LISTENS + "driver = messagingv2\n"


@pytest.mark.parametrize(
    ("text", "used", "left"),
    [(SENDS, True, [3.0]), (SENDS, False, []), (LISTENS, True, []), ("", True, [])],
    ids=["sends", "has not sent yet", "listens", "sends no more"],
)
def test_purge_keeps_what_is_still_to_be_sent(
    site: Site, tmp_path: Path, text: str, used: bool, left: list[float]
) -> None:
    """If events are sent, and were ever sent: else nobody waits for them."""
    conf, outbox = tmp_path / "notify.conf", Outbox(site.database)
    conf.write_text(text)
    assert site.journal.acquire()
    if used:
        outbox.begin()
    for at in 1.0, 2.0, 3.0:
        site.journal.commit(Change(events=(Event(EventKind.BLIND, at),)))
    if used:
        outbox.sent(outbox.pending()[1][0])
    order = ("history", "purge", "--older-than", "1d")
    assert site.run(f"--config-file={conf}", *order).code == 0
    assert [event.at for event in site.events()] == left


def test_stages_of_one_instant_stand_in_their_order() -> None:
    states = ("recovered", "evacuating", "fenced", "fencing", "confirmed", "suspected")
    record = HostRecovery(
        "n@1", "n", HostState.RECOVERED, 1.0, stages=dict.fromkeys(states, 1.0)
    )
    assert [stage["state"] for stage in history_rows.stages(record, [])] == [
        *reversed(states)
    ]


def test_a_state_that_was_entered_twice_has_two_lines() -> None:
    record = HostRecovery(
        "n@1", "n", HostState.FENCED, 1.0, stages={"fencing": 95.0, "fenced": 96.0}
    )
    told = (
        (EventKind.HOST_FENCING, 2.0),
        (EventKind.HOST_HELD, 3.0),
        (EventKind.HOST_SUSPECTED, 94.0),
        (EventKind.HOST_FENCING, 95.0),
        (EventKind.HOST_FENCED, 96.0),
        (EventKind.HOST_FENCED, 99.0),  # seen off once more: no state is entered
    )
    rows = history_rows.stages(record, [Event(kind, at) for kind, at in told])
    assert [(row["state"], row["seconds"]) for row in rows] == [
        ("fencing", 92.0),
        ("suspected", 1.0),
        ("fencing", 1.0),
        ("fenced", None),
    ]
