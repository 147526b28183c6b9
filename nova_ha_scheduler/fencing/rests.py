# SPDX-License-Identifier: Apache-2.0
"""Devices lock an account after a few wrong passwords: one that refuses is left alone.

=====================  ===============================================================
it refuses the         it is asked again after 5 minutes, as what it asks itself may be
credentials            out of order, and after that every [fencing] refused_rest seconds
it fails as it would   it is asked again after 30 seconds, and after twice as long each
if it refused them     time, up to refused_rest: fence agents often do not say which
it answers             all that is over
=====================  ===============================================================

What rests is an account at a device, whatever number of hosts are switched by it. Only
in memory, and of one reading of the fencing file: a file that is read anew, with other
credentials or with the same ones, begins anew.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_FIRST_SECONDS = 30.0
"""As long as from one question to a device that does not answer to the next."""

_FIRST_REFUSED_SECONDS = 300.0

_WORDS = (
    "{said}; {why}, which the trigger then reads at once. Else the trigger leaves the "
    "device alone for {seconds:.0f} s: an account may be locked after a few wrong "
    "passwords"
)
_SURE = "put the credentials right in the fencing file"
_PERHAPS = "if the credentials are wrong, put them right in the fencing file"
_OF_ANOTHER = "it is not asked, as it is the device of {host}, too: {words}"


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)  # goes on while suspended


@dataclass(frozen=True)
class Rest:
    """
    :ivar until: by the clock that nobody sets.
    :ivar seconds: its length.
    :ivar host: whose entry in the fencing file was refused.
    :ivar words: a sentence on that.
    """

    until: float
    seconds: float
    host: str
    words: str


class Rests:
    """The accounts that rest. For any thread."""

    def __init__(self) -> None:
        self._rests: dict[Hashable, Rest] = {}
        self._good: set[Hashable] = set()
        self._turns: defaultdict[Hashable, threading.Lock] = defaultdict(threading.Lock)

    def why(self, account: Hashable, host: str) -> str:
        """Why an account is not used now for a host, as a sentence; "": it may be."""
        rest = self._rests.get(account)
        if rest is None or _now() >= rest.until:
            return ""
        if rest.host == host:
            return rest.words
        return _OF_ANOTHER.format(host=rest.host, words=rest.words)

    def in_doubt(self, account: Hashable) -> bool:
        """Whether its last use may have been refused."""
        return account in self._rests

    def answered(self, account: Hashable) -> None:
        """The device takes the credentials."""
        self._good.add(account)
        self._rests.pop(account, None)

    def refused(
        self, account: Hashable, host: str, said: str, longest: float, sure: bool
    ) -> str:
        """The device has refused the credentials; perhaps, unless that is sure.

        :param host: whose entry in the fencing file has them.
        :param said: its answer, as a sentence.
        :param longest: seconds.
        :returns: the sentence on that, and on the rest that it gets.
        """
        before = self._rests.get(account)
        seconds = _FIRST_SECONDS if before is None else 2 * before.seconds
        if sure:
            seconds = _FIRST_REFUSED_SECONDS if before is None else longest
        seconds = min(seconds, longest)
        why = _SURE if sure else _PERHAPS
        words = _WORDS.format(said=said, why=why, seconds=seconds)
        self._good.discard(account)
        self._rests[account] = Rest(_now() + seconds, seconds, host, words)
        return words

    @contextmanager
    def turn(self, account: Hashable, seconds: float) -> Iterator[None]:
        """One after another, as long as nobody knows whether the credentials are right:
        many hosts may be switched by one device. Waits for so long at most."""
        if account in self._good:
            yield
            return
        lock = self._turns[account]
        mine = lock.acquire(timeout=seconds)
        try:
            yield
        finally:
            if mine:
                lock.release()
