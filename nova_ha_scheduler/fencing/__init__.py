# SPDX-License-Identifier: Apache-2.0
"""How a host's power is cut, and what counts as having seen it off.

A driver says how one kind of device is asked; :meth:`Driver.power_off` holds, for
all of them, what is believed: the device's own answer "off", and nothing else. A
request that was accepted, a time-out and silence are no evidence.

Drivers block: run them in an executor. Each call ends within the times given to it
(and, to take leave of the device or if that answers byte by byte, within one request's
time after that).
"""

import abc
import math
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from oslo_config import cfg

from nova_ha_scheduler.evacuation.interfaces import Power, PowerReport
from nova_ha_scheduler.fencing.identity import DevicePlace, Ledger, MachineIdentity
from nova_ha_scheduler.fencing.rests import Rests

NAMESPACE = "nova_ha_scheduler.fencing"
"""The entry point group of drivers; the name is the method in the fencing file."""


class FencingFileError(cfg.Error):
    """The fencing file cannot be used; the text names the file, host and key."""


class FenceError(Exception):
    """A device did not do as asked, in a sentence without credentials."""


class FinalError(FenceError):
    """Asking again will not help, and may harm."""


class RefusedError(FinalError):
    """The credentials were refused."""


class UnclearError(FenceError):
    """It failed as it does where the credentials are refused, or for another reason."""


_UNCLEAR_TRIES = 2
"""How many times such a device is asked in one look, so that a hiccup is none; once, if
the look before ended like that."""


def positive(key: str, text: str) -> float:
    """A number of seconds in the fencing file.

    :raises FencingFileError: it is none.
    """
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < math.inf:
        raise FencingFileError(f"{key}: a number of seconds above 0 is needed")
    return found


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)  # goes on while suspended


@dataclass(frozen=True)
class Deadlines:
    """Seconds: for a whole power-off with its observation, for one request, and for
    which a device that refuses the credentials is left alone."""

    power_off: float = 120.0
    request: float = 20.0
    refused_rest: float = 1800.0


class Driver(abc.ABC):
    """Fencing of one host by one device."""

    METHOD: ClassVar[str]
    REQUIRED: ClassVar[frozenset[str]] = frozenset()
    OPTIONAL: ClassVar[frozenset[str]] = frozenset()
    POLL: ClassVar[float] = 1.0
    """Seconds between two questions for the power state."""
    PROVES: ClassVar[bool] = True
    """Whether it can see a host off; else it only has the next level wait."""

    def __init__(
        self, host: str, settings: Mapping[str, Any], limits: Deadlines
    ) -> None:
        """Bind the driver to a host.

        :param settings: the keys of the fencing file, REQUIRED ones among them and
            no others than OPTIONAL; values are strings, or mappings of strings.
        :raises FencingFileError: see prepare().
        """
        self.host = host
        self.settings = settings
        self.limits = limits
        self.device = self.prepare()
        self.ledger = Ledger()
        """Whoever has several drivers gives one to all of them, as is true of the
        rests."""
        self.rests = Rests()
        self.answer = ""
        """What it has answered last while it powers off."""
        self.slot = 0
        """Which one of the host's devices it is."""

    @abc.abstractmethod
    def prepare(self) -> object:
        """Check the settings; no device is asked.

        :returns: what tells this device from another, as two hosts never share one;
            None: the host has none.
        :raises FencingFileError: a value that cannot be meant; it names the key.
        """

    @abc.abstractmethod
    def state(self, connection: Any) -> Power:
        """Ask the device for the host's power state, within the request's limit.

        :param connection: what connect() has returned.
        :raises FenceError: it did not tell.
        """

    @abc.abstractmethod
    def ask_off(self, connection: Any, seconds: float) -> None:
        """Ask for an immediate power-off, within so many seconds.

        It need not wait until it has happened.

        :raises FenceError: it may not happen.
        """

    def connect(self) -> Any:
        """Open a connection, within a few requests' time, to a device that has such.

        :raises FenceError: it could not be opened.
        """
        return None

    def disconnect(self, connection: Any) -> None:  # noqa: B027  # most have none
        """Close a connection, within one request's time; it never raises."""

    def machine(self, connection: Any) -> MachineIdentity:
        """What the device says of the machine that it switches; by default nothing.

        :raises FenceError: it cannot be asked.
        """
        return MachineIdentity()

    def known_as(self) -> str:
        """How the device calls the host, if it calls it anything."""
        return self.host

    def objection(self) -> str:
        """Why the device is not to be believed, by what all have said by now."""
        whose = self.host, self.slot
        return self.ledger.objection_now(whose, self.known_as())

    def _open(self) -> Any:
        """Open a connection to a device that is the host's own.

        :raises FenceError: it could not be opened, or leads to another machine.
        """
        connection = self.connect()
        try:
            machine = self.machine(connection)
            if isinstance(self.device, DevicePlace):
                machine = replace(machine, devices=self.device.resolved())
            whose = self.host, self.slot
            no = self.ledger.objection(whose, machine, self.known_as())
            if no:
                raise FinalError(no)
        except FenceError:
            self._leave(connection)
            raise
        return connection

    @property
    def account(self) -> Hashable:
        """What rests where the credentials are refused: their place, not they."""
        place = self.device
        return place.where if isinstance(place, DevicePlace) else self.host

    def _tries(self) -> int:
        return 1 if self.rests.in_doubt(self.account) else _UNCLEAR_TRIES

    def _refused(self, error: FenceError) -> PowerReport:
        """Leave the device alone for a while, and say so."""
        sure, longest = isinstance(error, RefusedError), self.limits.refused_rest
        said, account = str(error), self.account
        words = self.rests.refused(account, self.host, said, longest, sure)
        return self.report(Power.UNKNOWN, words)

    def power_off(self) -> PowerReport:
        """Cut the power and watch, unless the device is left alone for now."""
        with self.rests.turn(self.account, self.limits.request):
            if words := self.rests.why(self.account, self.host):
                return self.report(Power.UNKNOWN, words)
            return self._power_off()

    def power(self) -> PowerReport:
        """Ask for the power state, unless the device is left alone for now."""
        with self.rests.turn(self.account, self.limits.request):
            if words := self.rests.why(self.account, self.host):
                return self.report(Power.UNKNOWN, words)
            return self._power()

    def _power_off(self) -> PowerReport:
        """Cut the power at once and watch until the device says "off".

        A host that is off already is fenced; Off is ordered even so, in case somebody
        is switching it on, or off and on again. A device that hiccups is asked again
        until the limit, and asked to power off again only if it refused before; after
        the limit, as in a process that was stopped for a while, no more.
        """
        start = _now()
        end = start + self.limits.power_off
        connection, opened, asked, self.answer = None, False, False, ""
        answered, tries, ordered = False, self._tries(), False
        while True:
            try:
                if not opened:
                    connection, opened = self._open(), True
                power = self.state(connection)
                if not answered:
                    answered = True
                    self.rests.answered(self.account)
                if power is Power.OFF:
                    in_time = _now() < end + self.limits.request
                    if in_time and not (ordered or asked):
                        ordered = True
                        self._order_anyway(connection)
                        continue
                    self._leave(connection)
                    how = f"seen off after {_now() - start:.1f} s"
                    return self.report(power, how if asked else "was off already")
                problem = f"the device says that its power is {power.value}"
                self.answer = problem
                if not asked and _now() < end + self.limits.request:
                    left = end - _now() - self.limits.request
                    self.ask_off(connection, max(left, self.limits.request))
                    asked = True
                    continue  # many devices are off at once
            except FenceError as error:
                self._leave(connection)
                connection, opened = None, False
                power, problem = Power.UNKNOWN, str(error)
                self.answer = problem
                tries -= isinstance(error, UnclearError)
                if not answered and (isinstance(error, RefusedError) or tries <= 0):
                    return self._refused(error)
                if isinstance(error, FinalError):
                    break
            if _now() + self.POLL > end:
                break
            time.sleep(self.POLL)
        self._leave(connection)
        asked_for = "asked to power off, but " if asked else ""
        seconds = _now() - start
        return self.report(
            power, f"{asked_for}not seen off within {seconds:.0f} s: {problem}"
        )

    def _order_anyway(self, connection: Any) -> None:
        """Many devices refuse to switch off what is off, which means nothing."""
        try:
            self.ask_off(connection, self.limits.request)
        except FenceError:
            return

    def _power(self) -> PowerReport:
        """Ask the device for the power state, changing nothing.

        UNKNOWN means that the device would not serve; the detail says why. One that is
        heard from, but closes the connection, say, is asked again for a while.
        """
        end, tries = _now() + self.limits.request, self._tries()
        while True:
            connection = None
            try:
                connection = self._open()
                power = self.state(connection)
                self.rests.answered(self.account)
            except FenceError as error:
                self._leave(connection)
                tries -= isinstance(error, UnclearError)
                if isinstance(error, RefusedError) or tries <= 0:
                    return self._refused(error)
                if isinstance(error, FinalError) or _now() + self.POLL > end:
                    return self.report(Power.UNKNOWN, str(error))
                time.sleep(self.POLL)
                continue
            self._leave(connection)
            how = f"the device says that its power is {power.value}"
            return self.report(power, how)

    def _leave(self, connection: Any) -> None:
        if connection is not None:
            self.disconnect(connection)

    def report(self, power: Power, detail: str) -> PowerReport:
        return PowerReport(power, self.METHOD, detail)
