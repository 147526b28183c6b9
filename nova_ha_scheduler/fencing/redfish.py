# SPDX-License-Identifier: Apache-2.0
"""The method ``redfish``: a BMC that speaks Redfish, through sushy."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib import parse

import sushy
from oslo_utils import strutils
from sushy import exceptions

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import ConfigError, Device, Driver, FenceError, Limits
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

    def __init__(self, host: str, settings: Mapping[str, Any], limits: Limits) -> None:
        super().__init__(host, settings, limits)
        self.address: str = settings["address"]
        self.password: Secret = settings["password"]
        url = parse.urlsplit(self.address)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ConfigError("address: a URL such as https://192.0.2.7 is needed")
        if url.username or url.password:
            raise ConfigError("address: username and password have keys of their own")
        self.verify = self._verify(settings.get("verify", "true"))

    @staticmethod
    def _verify(value: str) -> bool | str:
        try:
            return bool(strutils.bool_from_string(value, strict=True))
        except ValueError:
            if os.path.exists(value):
                return value
        raise ConfigError(f"verify: {value} is not true, false or an existing path")

    @property
    def device(self) -> object:
        return self.address.rstrip("/"), self.settings.get("system", "")

    def connect(self) -> Device:
        with self.sentences():
            root = sushy.Sushy(
                self.address,
                username=self.settings["username"],
                password=self.password.reveal(),
                verify=self.verify,
                # 0 would mean sushy's own 3 tries, 2 s apart; the driver repeats.
                server_side_retries=1,
                server_side_retries_delay=1,
                read_timeout=self.limits.request,
                connect_timeout=self.limits.request,
            )
            return _System(self, root.get_system(self.settings.get("system")))
        raise AssertionError("not reached")

    @contextmanager
    def sentences(self) -> Iterator[None]:
        """Turn what sushy raises into a sentence."""
        try:
            yield
        except exceptions.AccessError as error:
            raise self._error("refused the credentials", error, True) from None
        except exceptions.ConnectionError as error:
            raise self._error("cannot be reached", error) from None
        except exceptions.SushyError as error:
            raise self._error("did not answer as expected", error) from None

    def _error(self, what: str, error: Exception, final: bool = False) -> FenceError:
        text = scrub(str(error), [self.password])
        return FenceError(f"the BMC at {self.address} {what}: {text}", final)


class _System:
    def __init__(self, driver: Redfish, system: Any) -> None:
        self._driver = driver
        self._system = system

    def state(self) -> Power:
        with self._driver.sentences():
            self._system.refresh(force=True)
        return POWER.get(self._system.power_state, Power.UNKNOWN)

    def ask_off(self, seconds: float) -> None:
        with self._driver.sentences():
            # Not GracefulShutdown: it waits for the guest that may be hung.
            self._system.reset_system(sushy.ResetType.FORCE_OFF)
