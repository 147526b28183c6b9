# SPDX-License-Identifier: Apache-2.0
"""What has another name or shape today than in what was kept: a line for each.

It is emptied when all is kept anew.
"""

from tests.lib.decisions.shapes import Member, Renames, Shape

_RESTARTED = "the trigger was restarted before it learned the result"


def _outcome(kept: Shape) -> Shape:
    lost = kept.fields["detail"] == _RESTARTED
    result = Member("Result", "LOST") if lost else kept.fields["result"]
    return Shape(kept.kind, {**kept.fields, "result": result})


def _asked(kept: Shape) -> Shape:
    unresolved = kept.fields["reason"] == Member("Reason", "UNRESOLVED")
    lost = unresolved and kept.fields["detail"] == _RESTARTED
    return Shape(kept.kind, {**kept.fields, "answer_lost": lost})


def _server(kept: Shape) -> Shape:
    kept = _asked(kept)
    checked = kept.fields["landed_at"] is not None
    moving = kept.fields["state"] == Member("ServerState", "MOVING")
    state = Member("ServerState", "LANDED") if moving and checked else None
    return Shape(kept.kind, {**kept.fields, "state": state or kept.fields["state"]})


RENAMED = Renames(
    fields={},
    members={},
    reshaped={"Outcome": _outcome, "ServerRecovery": _server, "Move": _asked},
)
