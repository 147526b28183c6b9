# SPDX-License-Identifier: Apache-2.0
"""How many evacuations Nova is given to schedule at a time.

Nova's schedulers are as many, and as quick, as the operator has made them. What is
given to them beyond that waits there, where nobody can put a more urgent server before
it, and requests that run at the same moment slow each other down. So the number follows
from what is seen, as a network connection finds out how much may be under way (it is
the idea of TCP BBR):

==========================  ======================================================
the way of a request        from its being sent until a destination has claimed
                            the server; the shortest is that of one that waits for
                            no other
the rate                    claims a second, the most of the newest round
being scheduled             2.25 times what is claimed at this rate in the shortest
                            way: it grows for as long as the rate grows with it
on the way to nova-api      a twelfth of them: where Nova is short of processors, what
                            runs in nova-api takes them from what is scheduled; one
                            more while nova-api answers as quickly as it ever has
==========================  ======================================================

Servers that are being rebuilt have left Nova's schedulers, and do not count. What was
not seen for a while is no shortest way any more: a few requests alone show one again.
"""

import math
import statistics
from collections import deque
from dataclasses import dataclass

_LEAST = 16
"""As many in any case, and at first, when nothing is known: fewer leave some of Nova's
processes without work (make bench ARGS=pacing)."""

_FEW = 4
"""Requests that show the shortest way, or how quick nova-api is."""

_POSTS = 12
"""What part of them is on its way to nova-api; at least one is."""

_AMPLE = 2.25
"""How many times what is needed for the rate: what is more shows whether the rate grows
with it."""

_QUICK = 1.5
"""Up to so many times the shortest answer, nova-api is as quick as ever."""

_HOLDS = 15.0
"""Seconds for which the shortest way holds. Nova may be slower by then."""

_ALIKE = 1.05
"""Up to so many times the shortest way, a way is the shortest."""


@dataclass(frozen=True)
class Sent:
    """
    :ivar at: when a request was sent, in seconds of a clock that nobody sets.
    :ivar claims: how many there had been by then.
    :ivar alone: whether it was sent to find out about the shortest way.
    """

    at: float
    claims: int
    alone: bool


class RequestWindow:
    """
    :ivar size: how many requests may be on their way and being scheduled.
    """

    def __init__(self) -> None:
        self.size = _LEAST
        self._claims = 0
        self._rates: deque[float] = deque()
        self._answers: deque[float] = deque(maxlen=_FEW)
        self._answer = math.inf
        self._way: float | None = None
        self._way_at = 0.0
        self._alone: list[float] | None = None
        """The ways of those that were sent to find out the shortest."""

    @property
    def posts(self) -> int:
        """How many of them may be on their way to nova-api."""
        shown = len(self._answers) == _FEW
        quick = shown and statistics.median(self._answers) <= self._answer * _QUICK
        return max(1, self.size // _POSTS) + quick

    def answered(self, sent: Sent, now: float) -> None:
        """nova-api has answered a request."""
        took = max(now - sent.at, 1e-3)
        self._answers.append(took)
        self._answer = min(took, self._answer)

    def sent(self, now: float) -> Sent:
        return Sent(now, self._claims, self._alone is not None)

    def claimed(self, sent: Sent, now: float, unseen: float = 0.0) -> None:
        """A destination has claimed the server of a request.

        :param unseen: seconds before in which nobody looked: no way is shorter, as so
            much has to be under way as is claimed meanwhile.
        """
        way = max(now - sent.at, unseen, 1e-3)
        self._claims += 1
        self._rates.append((self._claims - sent.claims) / way)
        while len(self._rates) > self.size:
            self._rates.popleft()
        if self._learn(way, sent, now):
            self._follow()

    def _learn(self, way: float, sent: Sent, now: float) -> bool:
        """Keep the shortest way; tell whether one is known."""
        if self._alone is not None:
            if sent.alone:
                self._alone.append(way)
            if len(self._alone) < _FEW:
                return False
            self._way, self._way_at, self._alone = min(self._alone), now, None
        elif self._way is None or way <= self._way * _ALIKE:
            self._way, self._way_at = min(way, self._way or way), now
        elif now - self._way_at > _HOLDS and self.size > _LEAST:
            self._alone, self.size = [], _FEW
            return False
        return True

    def _follow(self) -> None:
        rate = max(self._rates) * _AMPLE
        self.size = max(_LEAST, round(rate * (self._way or 0.0)))
