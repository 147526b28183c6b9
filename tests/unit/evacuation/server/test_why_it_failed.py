# SPDX-License-Identifier: Apache-2.0
"""Until when Nova is asked why an evacuation failed, and whether it was given up."""

from dataclasses import replace

import pytest

from nova_ha_scheduler.cluster.picture import Migration, Picture, Scope
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.server import attempts, under_way
from nova_ha_scheduler.evacuation.server.verdicts import Facts
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.records.effects import Effect, Intent, Outcome, Result
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.records.state import State

NOW, SETTLE = 1000.0, 30.0
RECORD = ServerRecovery(
    "node1@1",
    "uuid-1",
    "web1",
    "node1",
    ServerState.MOVING,
    seen_at=1.0,
    destination="node2",
    named=True,
    request_id="req-1",
)


def step(said: str | None, result: Result = Result.OK) -> Step:
    """:param said: what Nova answers in this step; None: nothing is known yet."""
    intent = Intent("1", Effect.ASK_WHY, "node1", 990.0, *RECORD.key)
    outcomes = [] if said is None else [Outcome(intent, result, 999.0, said)]
    picture = Picture(NOW, Scope(), {}, {})
    return Step(State(), picture, outcomes, frozenset(), NOW, Options(settle=SETTLE))


def record(status: str, changed_at: float | None) -> Migration:
    return Migration(7, "uuid-1", "node1", "node2", status, changed_at=changed_at)


@pytest.mark.parametrize(
    ("said", "status", "changed_at", "why"),
    [
        ("libvirtError", "failed", NOW - 1, "migration record failed: libvirtError"),
        (None, "failed", NOW - 1, None),
        ("", "failed", NOW - 1, None),
        ("", "failed", NOW - SETTLE, "migration record failed"),
        ("", "failed", None, "migration record failed"),
        # Nova's clock is ahead: by seconds, or by hours.
        ("", "failed", NOW + 2, None),
        ("", "failed", NOW + 7200, "migration record failed"),
        # A conductor has said all when it ends the record, as far as that matters.
        ("", "error", NOW - 1, "migration record error"),
    ],
)
def test_why(
    said: str | None, status: str, changed_at: float | None, why: str | None
) -> None:
    assert attempts.why(step(said), RECORD, record(status, changed_at)) == why


def test_nova_does_not_answer() -> None:
    found = attempts.why(step("timeout", Result.UNKNOWN), RECORD, record("failed", NOW))
    assert found == "migration record failed"


@pytest.mark.parametrize(
    ("said", "status", "given_up"),
    [
        ("ConnectFailure", "accepted", True),
        ("", "accepted", False),
        (None, "accepted", False),
        # It may have been sent all the same, or a destination is at work on it.
        ("MessageDeliveryFailure", "accepted", False),
        ("MessagingTimeout", "accepted", False),
        ("ConnectFailure", "pre-migrating", False),
    ],
)
def test_given_up(said: str | None, status: str, given_up: bool) -> None:
    facts = Facts(step(said), RECORD, record(status, NOW))
    assert bool(facts.given_up) is given_up


UNNAMED = replace(RECORD, request_id=None)
REQUEST = Intent("2", Effect.EVACUATE, "node1", 980.0, *RECORD.key, destination="node2")


def asked(*outcomes: Outcome) -> Step:
    """nova-api is being asked, or has answered in this step."""
    state = State(intents={REQUEST.id: REQUEST})
    shown = Picture(NOW, Scope(), {}, {}, (record("failed", NOW),))
    running = frozenset({REQUEST.id}) - {outcome.intent.id for outcome in outcomes}
    return Step(state, shown, outcomes, running, NOW, Options(settle=SETTLE))


def test_nova_api_has_not_answered_yet() -> None:
    """The evacuation has failed by then. Its answer names the request: until then, the
    destination is not taken for one that may have the server."""
    new = under_way.under_way(asked(), UNNAMED)
    assert new == UNNAMED
    answered = asked(Outcome(REQUEST, Result.OK, 999.0, request_id="req-9"))
    new = under_way.under_way(answered, UNNAMED)
    assert (new.state, new.only, new.request_id) == (ServerState.MOVING, None, "req-9")
    (intent,) = answered.change().opened
    assert (intent.effect, intent.text) == (Effect.ASK_WHY, "req-9")


def test_nova_api_has_said_nothing() -> None:
    lost = asked(Outcome(REQUEST, Result.UNKNOWN, 999.0, "no answer"))
    assert under_way.under_way(lost, UNNAMED).only == "node2"
