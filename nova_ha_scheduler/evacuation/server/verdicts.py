# SPDX-License-Identifier: Apache-2.0
"""What may have become of a server that Nova was asked for: the verdict table.

The truth about an evacuation is its migration record, not the server's status, and not
a clock: as long as the record is unfinished, Nova works on it. Or it does so no more,
and shows no end of it: a destination that dies in the middle, or a conductor that does,
leaves the record unfinished for ever, and the server with a task state that keeps Nova
from evacuating it again. An administrator may reset that state; who does so while the
destination still works on the server lets it run twice. So this is done only

* once the destination is proven to have died after it was asked, or
* if it never took the server up, for a request that named it: nobody else can have got
  it. That is so when it has taken long, or when Nova says that its conductor failed.

Else a person decides, and resets it by hand. Whoever did it: a destination that lives
may take the request up at that very moment, or be at it still. So the new request names
the same one, which says so if it has the server.

:data:`TABLE` is read from its first row: the first that holds is the verdict.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from nova_ha_scheduler.evacuation.server.facts import Facts


class Verdict(enum.Enum):
    """What is done for the server; one function each in under_way.py."""

    FAILED = "the attempt has failed: ask again, at another host"
    REFUSED_THERE = "Nova's scheduler does not take that host: ask for the next one"
    FAILED_THERE = "the attempt has failed: ask again, at the same host alone"
    NEVER_ASKED = "Nova was not asked: it waits again"
    NEVER_GOT = "Nova has lost the request: ask again"
    WAS_RESET = "its state was reset: ask again"
    DISTURBED = "it may run in two places: a person has to look"
    ASK_WHY = "it has failed: ask Nova why"
    ASK_WHETHER = "nobody has begun: ask Nova whether it was given up"
    ADOPT = "there is a record: follow that"
    LANDED = "it has landed: check it"
    GONE = "it is not shown where it was"
    RESET = "nobody works on it any more: reset its state"
    DOWN = "its destination is down: wait until that is proven dead, or up"
    SLOW = "it takes long: tell it"
    UNREADABLE = "what is shown of it cannot be read: wait"
    WAIT = "it may still take effect, or show: wait"
    FOLLOW = "Nova works on it: follow it"


@dataclass(frozen=True)
class VerdictRow:
    """
    :ivar name: what has happened, in words.
    :ivar scenario: one that comes to this row, below tests/scenarios.
    :ivar because: the behaviour of Nova that makes this a row of its own; "": none.
    """

    name: str
    applies: Callable[[Facts], object]
    verdict: Verdict
    scenario: str
    because: str = ""


TABLE = (
    # What was said.
    VerdictRow(
        "Nova refuses",
        lambda f: f.answer and f.answer.refused,
        Verdict.FAILED,
        "evacuation-refused",
    ),
    VerdictRow(
        "the trigger has withheld it",
        lambda f: f.answer and f.answer.withheld,
        Verdict.NEVER_ASKED,
        "pause-while-an-evacuation-waits",
    ),
    VerdictRow(
        "a record is there",
        lambda f: f.asked and f.newest,
        Verdict.ADOPT,
        "dead-host",
        "nova-api writes the record before it answers",
    ),
    VerdictRow(
        "failed: the destination had it",
        lambda f: f.had_it,
        Verdict.DISTURBED,
        "already-there",
        "InstanceExists: that host alone can say whether it still has it",
    ),
    VerdictRow(
        "failed: an old request has disturbed it",
        lambda f: f.disturbed,
        Verdict.DISTURBED,
        "late-request-in-the-middle",
        "a host that returns writes itself into the record, and fails it, while the "
        "new destination works on the server",
    ),
    VerdictRow(
        "failed: why is not known yet",
        lambda f: f.failed and f.why_failed is None,
        Verdict.ASK_WHY,
        "failed-and-nova-says-why",
        "the record has failed before the instance action says why",
    ),
    VerdictRow(
        "failed: the destination may have it",
        lambda f: f.may_have_it,
        Verdict.FAILED_THERE,
        "unheard-in-the-middle",
        "where Nova's own services did not answer nova-compute, it gives up without a "
        "look at the guest that it may have made",
    ),
    VerdictRow(
        "failed: Nova's scheduler does not take the host",
        lambda f: f.refused_there,
        Verdict.REFUSED_THERE,
        "nova-refuses-a-host",
        "filters that Placement does not know are asked with a named host, too, and a "
        "refusal is a NoValidHost, which sets the server to error",
    ),
    VerdictRow("failed", lambda f: f.failed, Verdict.FAILED, "rebuild-fails-for-ever"),
    VerdictRow(
        "landed", lambda f: f.newest and f.newest.landed, Verdict.LANDED, "dead-host"
    ),
    VerdictRow(
        "it may still show",
        lambda f: f.asked and f.too_early,
        Verdict.WAIT,
        "lost-request",
    ),
    VerdictRow(
        "it cannot be read",
        lambda f: f.unreadable,
        Verdict.UNREADABLE,
        "unreadable-while-it-moves",
    ),
    # What silence means.
    VerdictRow(
        "it is not there any more",
        lambda f: not f.asked and f.vanished,
        Verdict.GONE,
        "landed-and-untold",
        "Nova saves where a server is before it ends the record",
    ),
    VerdictRow(
        "its state was reset",
        lambda f: f.was_reset,
        Verdict.WAS_RESET,
        "destination-agent-restarts",
        "a reset server has no task state, and the old request may still be worked on",
    ),
    VerdictRow(
        "no record, and no such task state",
        lambda f: f.asked and f.idle,
        Verdict.NEVER_GOT,
        "lost-request",
        "nova-api sets the task state before it writes the record",
    ),
    VerdictRow(
        "its destination is dead",
        lambda f: f.shown and f.destination_dead,
        Verdict.RESET,
        "destination-dies",
        "the record of an evacuation whose destination dies is never ended",
    ),
    VerdictRow(
        "its destination is down",
        lambda f: f.shown and f.destination and not f.destination_up,
        Verdict.DOWN,
        "destination-dies-unfenced",
    ),
    VerdictRow(
        "Nova has given it up",
        lambda f: not f.asked and f.given_up,
        Verdict.RESET,
        "conductor-gives-up",
        "where neutron does not answer a conductor, it ends the instance action, and "
        "neither the record nor the task state",
    ),
    VerdictRow(
        "its destination has never heard of it",
        lambda f: f.shown and f.destination and f.late and f.named,
        Verdict.RESET,
        "conductor-loses-request",
        "nova-compute leaves a record accepted until it begins",
    ),
    VerdictRow(
        "it takes long",
        lambda f: (
            f.late and f.unsaid and (not f.asked or (f.shown and f.destination is None))
        ),
        Verdict.SLOW,
        "slow-rebuild",
    ),
    VerdictRow(
        "nobody has begun",
        lambda f: f.to_ask_whether,
        Verdict.ASK_WHETHER,
        "conductor-gives-up",
        "nova-compute leaves a record accepted until it begins",
    ),
    VerdictRow("Nova works on it", lambda f: True, Verdict.FOLLOW, "slow-rebuild"),
)


def judge(facts: Facts) -> VerdictRow:
    """The first row of the table that holds."""
    return next(row for row in TABLE if row.applies(facts))
