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
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from oslo_config import cfg

from nova_ha_scheduler.evacuation.interfaces import Power, PowerReport
from nova_ha_scheduler.fencing.identity import DevicePlace, Ledger, MachineIdentity

NAMESPACE = "nova_ha_scheduler.fencing"
"""The entry point group of drivers; the name is the method in the fencing file."""


class FencingFileError(cfg.Error):
    """The fencing file cannot be used; the text names the file, host and key."""


class FenceError(Exception):
    """A device did not do as asked, in a sentence without credentials."""


class FinalError(FenceError):
    """Asking again will not help, and may harm: a refused password, repeated, locks
    the account on many BMCs."""


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)  # goes on while suspended


@dataclass(frozen=True)
class Deadlines:
    """Seconds: for a whole power-off with its observation, and for one request."""

    power_off: float = 120.0
    request: float = 20.0


class Driver(abc.ABC):
    """Fencing of one host by one device."""

    METHOD: ClassVar[str]
    REQUIRED: ClassVar[frozenset[str]] = frozenset()
    OPTIONAL: ClassVar[frozenset[str]] = frozenset()
    POLL: ClassVar[float] = 1.0
    """Seconds between two questions for the power state."""

    def __init__(
        self, host: str, settings: Mapping[str, Any], limits: Deadlines
    ) -> None:
        """Bind the driver to a host.

        :param settings: the keys of the fencing file, REQUIRED ones among them and
            no others than OPTIONAL; values are strings, or mappings of strings.
        :raises ConfigError: see prepare().
        """
        self.host = host
        self.settings = settings
        self.limits = limits
        self.device = self.prepare()
        self.ledger = Ledger()
        """Whoever has several drivers gives one to all of them."""
        self.answer = ""
        """What it has answered last while it powers off."""

    @abc.abstractmethod
    def prepare(self) -> object:
        """Check the settings; no device is asked.

        :returns: what tells this device from another, as two hosts never share one;
            None: the host has none.
        :raises ConfigError: a value that cannot be meant; it names the key.
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
        return self.ledger.objection_now(self.host, self.known_as())

    def _open(self) -> Any:
        """Open a connection to a device that is the host's own.

        :raises FenceError: it could not be opened, or leads to another machine.
        """
        connection = self.connect()
        try:
            machine = self.machine(connection)
            if isinstance(self.device, DevicePlace):
                machine = replace(machine, devices=self.device.resolved())
            no = self.ledger.objection(self.host, machine, self.known_as())
            if no:
                raise FinalError(no)
        except FenceError:
            self._leave(connection)
            raise
        return connection

    def power_off(self) -> PowerReport:
        """Cut the power at once and watch until the device says "off".

        A host that is off already is fenced. A device that hiccups is asked again
        until the limit, and asked to power off again only if it refused before; after
        the limit, as in a process that was stopped for a while, no more.
        """
        start = _now()
        end = start + self.limits.power_off
        connection, opened, asked, self.answer = None, False, False, ""
        while True:
            try:
                if not opened:
                    connection, opened = self._open(), True
                power = self.state(connection)
                if power is Power.OFF:
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

    def power(self) -> PowerReport:
        """Ask the device for the power state, changing nothing.

        UNKNOWN means that the device would not serve; the detail says why. One that is
        heard from, but closes the connection, say, is asked again for a while.
        """
        end = _now() + self.limits.request
        while True:
            connection = None
            try:
                connection = self._open()
                power = self.state(connection)
            except FenceError as error:
                self._leave(connection)
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
