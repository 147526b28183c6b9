# SPDX-License-Identifier: Apache-2.0
"""The method ``redfish``: a BMC that speaks Redfish, through sushy."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sushy
from oslo_utils import strutils
from sushy import auth, connector, exceptions

from nova_ha_scheduler import exchange
from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import (
    Driver,
    FenceError,
    FencingFileError,
    RefusedError,
    identity,
)
from nova_ha_scheduler.fencing.secrets import Secret, scrub

POWER = {sushy.PowerState.ON: Power.ON, sushy.PowerState.OFF: Power.OFF}


_NO_REDFISH = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What sushy breaks with where an answer is not JSON, or no object, or has no end."""

ANSWER_BYTES = 4 * 1024 * 1024
"""Of one answer: a system with hundreds of parts has some hundred KiB."""


class _Connector(connector.Connector):
    """sushy's, each of whose exchanges ends."""

    def __init__(self, address: str, seconds: float, verify: bool | str) -> None:
        super().__init__(
            address,
            verify=verify,
            # 0 would mean sushy's own 3 tries, 2 s apart; the driver repeats.
            server_side_retries=1,
            server_side_retries_delay=1,
            default_request_timeout=seconds,
        )
        adapter = exchange.BoundedAdapter(seconds=seconds, limit=ANSWER_BYTES)
        exchange.bound(self._session, adapter)


class Redfish(Driver):
    """Keys: ``address``, ``username``, ``password``, ``system``, ``verify``,
    ``hostname``.

    ``address`` is the BMC's URL; ``system`` the path of the system, needed if the
    BMC has several (``/redfish/v1/Systems/1``); ``verify`` is true (the default),
    false, or the path of a CA bundle for the BMC's certificate; ``hostname`` is what
    the BMC calls the host, where that is not the host's own name.
    """

    METHOD = "redfish"
    REQUIRED = frozenset({"address", "username", "password"})
    OPTIONAL = frozenset({"system", "verify", "hostname"})

    def prepare(self) -> object:
        self.address: str = self.settings["address"]
        self.password: Secret = self.settings["password"]
        self.verify = self._verify(self.settings.get("verify", "true"))
        try:
            return identity.of_url(self.address, self.settings.get("system"))
        except ValueError as error:
            raise FencingFileError(f"address: {error}") from None

    @staticmethod
    def _verify(value: str) -> bool | str:
        try:
            return bool(strutils.bool_from_string(value, strict=True))
        except ValueError:
            if os.path.exists(value):
                return value
        raise FencingFileError(
            f"verify: {value} is not true, false or an existing path"
        )

    def connect(self) -> Any:
        user, password = self.settings["username"], self.password.reveal()
        login = auth.SessionOrBasicAuth(user, password)
        try:
            return login, self._system(login)
        except FenceError:
            _log_out(login)
            raise

    def disconnect(self, connection: Any) -> None:
        login, _ = connection
        _log_out(login)

    def _system(self, login: auth.AuthBase) -> Any:
        with self._sentences():
            root = sushy.Sushy(
                self.address,
                auth=login,
                connector=_Connector(self.address, self.limits.request, self.verify),
            )
            return root.get_system(self.settings.get("system"))

    def machine(self, connection: Any) -> identity.MachineIdentity:
        _, system = connection
        with self._sentences():
            said = system.uuid, system.serial_number, system.hostname
        return identity.MachineIdentity.said(*said)

    def known_as(self) -> str:
        return str(self.settings.get("hostname", self.host))

    def state(self, connection: Any) -> Power:
        _, system = connection
        with self._sentences():
            system.refresh(force=True)
        return POWER.get(system.power_state, Power.UNKNOWN)

    def ask_off(self, connection: Any, seconds: float) -> None:
        _, system = connection
        with self._sentences():
            # Not GracefulShutdown: it waits for the guest that may be hung.
            system.reset_system(sushy.ResetType.FORCE_OFF)

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """Turn what sushy raises into a sentence."""
        try:
            yield
        except _NO_REDFISH as error:
            deep = isinstance(error, RecursionError)
            what = "it is nested too deeply" if deep else "it is not as Redfish says"
            words = f"the answer of the BMC at {self.address} cannot be read: {what}"
            raise FenceError(words) from None
        except exceptions.SushyError as error:
            bmc = f"the BMC at {self.address}"
            if isinstance(error, exceptions.AccessError):
                # Without the URL: a BMC of several hosts is asked for one of them, and
                # its no is told of all.
                said = f"HTTP {error.status_code}: {error.detail or 'no reason given'}"
                text = scrub(said, [self.password])
                raise RefusedError(f"{bmc} refused the credentials: {text}") from None
            text = scrub(str(error), [self.password])
            if isinstance(error, exceptions.ConnectionError):
                raise FenceError(f"{bmc} cannot be reached: {text}") from None
            raise FenceError(f"{bmc} did not answer as expected: {text}") from None


def _log_out(login: auth.SessionAuth) -> None:
    """End the session, of which a BMC has a few alone. Else sushy does so when it is
    collected, in whatever thread that is, which then waits for a BMC that may be dead.
    """
    try:
        login.close()
    except exceptions.SushyError:
        login.reset_session_attrs()  # it runs out by itself
