# SPDX-License-Identifier: Apache-2.0
"""The method ``redfish``: a BMC that speaks Redfish, through sushy."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib import parse

import sushy
from oslo_utils import strutils
from sushy import auth, exceptions

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import ConfigError, Driver, FenceError, FinalError
from nova_ha_scheduler.fencing.secrets import Secret, scrub

POWER = {sushy.PowerState.ON: Power.ON, sushy.PowerState.OFF: Power.OFF}


class Redfish(Driver):
    """Keys: ``address``, ``username``, ``password``, ``system``, ``verify``.

    ``address`` is the BMC's URL; ``system`` the path of the system, needed if the
    BMC has several (``/redfish/v1/Systems/1``); ``verify`` is true (the default),
    false, or the path of a CA bundle for the BMC's certificate.
    """

    METHOD = "redfish"
    REQUIRED = frozenset({"address", "username", "password"})
    OPTIONAL = frozenset({"system", "verify"})

    def prepare(self) -> object:
        self.address: str = self.settings["address"]
        self.password: Secret = self.settings["password"]
        url = parse.urlsplit(self.address)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ConfigError("address: a URL such as https://192.0.2.7 is needed")
        if url.username or url.password:
            raise ConfigError("address: username and password have keys of their own")
        self.verify = self._verify(self.settings.get("verify", "true"))
        return self.address.rstrip("/"), self.settings.get("system", "")

    @staticmethod
    def _verify(value: str) -> bool | str:
        try:
            return bool(strutils.bool_from_string(value, strict=True))
        except ValueError:
            if os.path.exists(value):
                return value
        raise ConfigError(f"verify: {value} is not true, false or an existing path")

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
                verify=self.verify,
                # 0 would mean sushy's own 3 tries, 2 s apart; the driver repeats.
                server_side_retries=1,
                server_side_retries_delay=1,
                read_timeout=self.limits.request,
                connect_timeout=self.limits.request,
            )
            return root.get_system(self.settings.get("system"))

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
        except exceptions.SushyError as error:
            text = scrub(str(error), [self.password])
            bmc = f"the BMC at {self.address}"
            if isinstance(error, exceptions.AccessError):
                raise FinalError(f"{bmc} refused the credentials: {text}") from None
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
