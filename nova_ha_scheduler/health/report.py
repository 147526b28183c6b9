# SPDX-License-Identifier: Apache-2.0
"""What the active trigger says of itself. Plain, frozen data; all times are seconds
since the epoch, UTC.

It stands in the journal and is replaced every few seconds, so a report that has become
old is a trigger that is dead, stalled, or cut off from the journal.
"""

from dataclasses import dataclass

from nova_ha_scheduler import codec


@dataclass(frozen=True)
class Standing:
    """Something around the trigger that is out of order.

    :ivar trouble: the name of a member of health.troubles.Trouble.
    """

    trouble: str
    since: float
    error: str


@dataclass(frozen=True)
class HostNote:
    """Something about one host.

    :ivar words: a reason, or an answer; may be "".
    """

    host: str
    since: float
    words: str = ""


@dataclass(frozen=True)
class Report:
    """
    :ivar owner: the trigger that wrote it, as the lease names it.
    :ivar at: when it was written.
    :ivar valid: seconds after which its writer is dead, if it was not replaced: those
        after which another trigger takes over.
    :ivar skew: seconds by which the clocks of two machines may differ.
    :ivar stepped_at: when the newest step, or look whether there is one to make, ended;
        before the first one, when it became the active trigger.
    :ivar patience: seconds that a step may take.
    :ivar seen_at: of when the newest picture of the cloud is; None: there is none.
    :ivar settles_at: until when nobody is fenced, as every host gets the time to be
        heard of; None: that is not so.
    :ivar protected: how many hosts it answers for; None: it has not seen the cloud.
    :ivar aside: how many more are tagged, and left alone: they are under maintenance,
        or somebody has disabled their service.
    :ivar unfenceable: those that it answers for and that have no fencing method.
    :ivar broken: those whose fence device did not serve when last asked.
    :ivar shut_out: those that are back, and that the trigger leaves disabled.
    :ivar misspelt: those of whose aggregates a key may be misspelt.
    :ivar answers: what the devices of hosts that are being fenced answered last.
    :ivar only: the hosts that a person started it for; (): it is there for all.
    """

    owner: str
    at: float
    valid: float
    skew: float
    stepped_at: float
    patience: float = 60.0
    seen_at: float | None = None
    settles_at: float | None = None
    troubles: tuple[Standing, ...] = ()
    protected: int | None = None
    aside: int = 0
    unfenceable: tuple[HostNote, ...] = ()
    broken: tuple[HostNote, ...] = ()
    shut_out: tuple[HostNote, ...] = ()
    misspelt: tuple[HostNote, ...] = ()
    answers: tuple[HostNote, ...] = ()
    only: tuple[str, ...] = ()


def load(text: str) -> Report:
    """:raises codec.Unreadable: another version of the program wrote it."""
    return codec.load(Report, text)
