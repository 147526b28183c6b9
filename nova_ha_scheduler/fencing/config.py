# SPDX-License-Identifier: Apache-2.0
"""The fencing file: which host is powered off by what.

    defaults:                       # optional: settings shared by a method's hosts
      redfish:
        username: fencer
        password: "..."
    hosts:
      compute-1:                    # exactly as in "openstack compute service list"
        method: redfish
        address: https://192.0.2.11
      compute-2:
        method: agent
        agent: fence_ipmilan
        options: {ip: 192.0.2.12, username: fencer, password: "...", lanplus: 1}
      compute-3:
        method: manual

Every value is text, as written: no octal numbers, no "no" that becomes false. What
is not understood is an error, as a dropped key could be a dropped fencing step. An
error in one host's entry costs that host its fencing, and no other one.
"""

import concurrent.futures
import os
import re
import stat
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml
from oslo_config import cfg
from stevedore import driver, exception

from nova_ha_scheduler import files, spelling
from nova_ha_scheduler.evacuation.interfaces import Power, PowerReport
from nova_ha_scheduler.fencing import NAMESPACE, Deadlines, Driver, FencingFileError
from nova_ha_scheduler.fencing import conf as fencing_conf
from nova_ha_scheduler.fencing.identity import Ledger, shared
from nova_ha_scheduler.fencing.secrets import Secret

SECRET_KEY = re.compile(r"pass|secret|token|key|community|auth", re.IGNORECASE)
"""Keys whose values are credentials. Too many are harmless: they only show stars."""


class FenceDevices:
    """The drivers of all hosts in the fencing file, by exact host name.

    :ivar unusable: of each host whose entry cannot be used, the sentence that says why.
    """

    def __init__(
        self,
        path: str,
        drivers: Mapping[str, Driver],
        unusable: Mapping[str, str] | None = None,
        disputed: Mapping[str, Driver] | None = None,
    ) -> None:
        """:param disputed: what some of these would have, if it were not another one's,
        too."""
        self._path = path
        self._drivers = drivers
        self._disputed = disputed or {}
        self.unusable = dict(unusable or {})
        self._ledger = Ledger()
        for found in drivers.values():
            found.ledger = self._ledger
        self._under_way: dict[str, float] = {}
        """The hosts that are being powered off, and since when."""

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> "FenceDevices":
        """Load the file that nova-ha.conf names.

        :raises ConfigError: the file as a whole cannot be used; it says why.
        """
        fencing_conf.register_opts(conf)
        options = conf.fencing
        limits = Deadlines(options.power_off_timeout, options.request_timeout)
        return load(options.config_file, limits)

    def keeping(self, older: "FenceDevices") -> "FenceDevices":
        """The same; but a host whose entry cannot be used keeps its older one, unless
        its device is another one's by now. Who is to have a device that two have is
        not known: neither keeps anything."""
        mine = {**self._drivers, **self._disputed}
        older_ones = {
            host: driver
            for host, driver in older._drivers.items()
            if host in self.unusable and host not in mine
        }
        found = {**mine, **older_ones}
        taken = shared({host: driver.device for host, driver in found.items()})
        kept = {host: d for host, d in older_ones.items() if host not in taken}
        drivers = {**self._drivers, **kept}
        new = FenceDevices(self._path, drivers, self.unusable, self._disputed)
        new._under_way = older._under_way
        new._ledger.keep(older._ledger, drivers.keys() - new.differs_in(older))
        return new

    def differs_in(self, older: "FenceDevices") -> frozenset[str]:
        """The hosts that are fenced by something else than before."""
        hosts = self._drivers.keys() | older._drivers.keys()
        return frozenset(h for h in hosts if self._what(h) != older._what(h))

    def _what(self, host: str) -> Any:
        driver = self._drivers.get(host)
        return driver and (driver.METHOD, driver.settings, driver.limits)

    def hear_names(self, names: Mapping[str, str]) -> None:
        """What the hosts' machines call themselves, by host."""
        self._ledger.names = names

    def lacks(self, host: str) -> str:
        """Why a host cannot be fenced, as a sentence; "": it has a method."""
        if host in self._drivers:
            return ""
        if host in self.unusable:
            return f"{self._path}: host {host}: {self.unusable[host]}"
        return f"{self._path} has no entry for it{spelling.hint(host, self._drivers)}"

    @property
    def methods(self) -> dict[str, str]:
        """The method of each host."""
        return {host: driver.METHOD for host, driver in self._drivers.items()}

    def power_off(self, host: str) -> PowerReport:
        """Power a host off and watch; blocks for up to power_off_timeout."""
        self._under_way[host] = time.time()
        try:
            return self._ask(host, Driver.power_off)
        finally:
            self._under_way.pop(host, None)

    @property
    def answers(self) -> dict[str, tuple[float, str]]:
        """Of each host that is being powered off: since when, in seconds since the
        epoch, and what its device has answered last."""
        return {
            host: (since, self._drivers[host].answer)
            for host, since in [*self._under_way.items()]
            if host in self._drivers
        }

    def power(self, host: str) -> PowerReport:
        """Look, and change nothing; blocks for a few times request_timeout."""
        return self._ask(host, Driver.power)

    def _ask(self, host: str, do: Callable[[Driver], PowerReport]) -> PowerReport:
        driver = self._drivers.get(host)
        if driver is None:
            return PowerReport(Power.UNKNOWN, "none", self.lacks(host))
        try:
            return do(driver)
        except Exception as error:
            # A driver's bug. Its text may hold credentials; whatever it is, the
            # host is not fenced.
            return driver.report(Power.UNKNOWN, f"broke with {type(error).__name__}")

    @property
    def with_device(self) -> list[str]:
        """The hosts whose method has a device that can be checked."""
        return sorted(h for h, d in self._drivers.items() if d.device is not None)

    def broken(self, parallelism: int = 8) -> dict[str, str]:
        """Ask all devices for the power state; blocks.

        :returns: host to sentence, for the devices that would not serve now.
        """
        hosts = self.with_device
        with concurrent.futures.ThreadPoolExecutor(parallelism) as pool:
            reports = zip(hosts, pool.map(self.power, hosts), strict=True)
            found = {h: r.detail for h, r in reports if r.power is Power.UNKNOWN}
        for host in hosts:  # those that were asked before whoever has their device
            if no := self._drivers[host].objection():
                found.setdefault(host, no)
        return found


class _Twice:
    """Stands for the value of a key that is there more than once: which is meant?"""


class _Loader(yaml.BaseLoader):
    """Text only."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, Any]:
        # First: it says no to keys that are no text.
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=True)
        for key, times in Counter(key.value for key, _ in node.value).items():
            if times > 1:
                mapping[key] = _Twice()
        return mapping


@contextmanager
def _in(place: str) -> Iterator[None]:
    """Say where it is what cannot be used."""
    try:
        yield
    except FencingFileError as error:
        raise FencingFileError(f"{place}: {error}") from None


def load(path: str, limits: Deadlines) -> FenceDevices:
    """Read the fencing file and make a driver for each of its hosts.

    No device is asked. :raises ConfigError: the file as a whole cannot be used; what
    is wrong with the entry of one host stands in Fencing.unusable.
    """
    with _in(path):
        return FenceDevices(path, *_drivers(_read(path), limits))


def _read(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            found = os.fstat(file.fileno())
            mode = stat.S_IMODE(found.st_mode)
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise FencingFileError(
                    f"holds credentials, but its mode is {mode:04o}: chmod 0600 it"
                )
            if found.st_uid not in (0, os.geteuid()):
                owner = files.owner(found.st_uid)
                raise FencingFileError(
                    f"belongs to {owner}: run this as that user "
                    f"(runuser -u {owner} -- ...); else the file must "
                    "belong to root or to whoever runs this, as it names programs"
                )
            return yaml.load(file, _Loader)  # a BaseLoader: makes text, no objects
    except OSError as error:
        raise FencingFileError(f"cannot be read: {error.strerror}") from None
    except RecursionError:
        raise FencingFileError("is not valid YAML: it is nested too deeply") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # Not the error's own text, which quotes the file, password and all.
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise FencingFileError(f"is not valid YAML{where}") from None


def _drivers(
    content: Any, limits: Deadlines
) -> tuple[dict[str, Driver], dict[str, str], dict[str, Driver]]:
    """The drivers, what is wrong with the hosts that have none, and what those of them
    would have whose device is another one's, too."""
    top = _mapping(content, "the file", {"defaults", "hosts"})
    defaults = _mapping(top.get("defaults", {}), "defaults")
    for method, settings in defaults.items():
        with _in(f"defaults: {method}"):
            cls = _driver_class(method)
            _mapping(settings, "defaults", cls.REQUIRED | cls.OPTIONAL)
    drivers: dict[str, Driver] = {}
    unusable: dict[str, str] = {}
    for host, settings in _hosts(top).items():
        try:
            drivers[host] = _driver(host, settings, defaults, limits)
        except FencingFileError as error:
            unusable[host] = str(error)
        except Exception as error:  # a driver's bug; its text may hold credentials
            unusable[host] = f"it cannot be read: {type(error).__name__}"
    devices = {host: driver.device for host, driver in drivers.items()}
    disputed = {}
    for host, others in shared(devices).items():
        unusable[host] = f"has the same device as host {', '.join(others)}"
        disputed[host] = drivers.pop(host)
    return drivers, unusable, disputed


def _hosts(top: Mapping[str, Any]) -> dict[str, Any]:
    hosts = top.get("hosts")
    return hosts if isinstance(hosts, dict) else _mapping(hosts, "hosts")


def _driver(
    host: str, content: Any, defaults: Mapping[str, Any], limits: Deadlines
) -> Driver:
    own = dict(_mapping(content, "its value"))
    if "method" not in own:
        raise FencingFileError("method is missing" + spelling.hint("method", own))
    method = own.pop("method")
    cls = _driver_class(method)
    settings = {**defaults.get(method, {}), **own}
    for key, value in defaults.get(method, {}).items():
        if isinstance(value, dict) and isinstance(settings[key], dict):
            settings[key] = {**value, **settings[key]}
    _mapping(settings, "its value", cls.REQUIRED | cls.OPTIONAL)
    missing = sorted(cls.REQUIRED - settings.keys())
    if missing:
        raise FencingFileError(f"{', '.join(missing)} missing for method {method}")
    return cls(host, _sealed(settings), limits)


def _driver_class(method: Any) -> type[Driver]:
    if not isinstance(method, str):
        raise FencingFileError("method: a name is needed")
    try:
        found: type[Driver] = driver.DriverManager(NAMESPACE, method).driver
    except exception.NoMatches:
        raise FencingFileError(f"method {method} does not exist") from None
    except Exception as error:
        raise FencingFileError(f"method {method} cannot be loaded: {error}") from error
    return found


def _sealed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with their credentials wrapped, one level of options deep."""
    sealed: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict) and key == "options":
            sealed[key] = _sealed(_mapping(value, key))
        elif not isinstance(value, str) or not value:
            raise FencingFileError(f"{key}: a text is needed")
        elif not value.isprintable():
            # A fence agent would take what follows a newline for another option.
            raise FencingFileError(f"{key}: only printable characters can be used")
        else:
            sealed[key] = Secret(value) if SECRET_KEY.search(key) else value
    return sealed


def _mapping(
    value: Any, what: str, known: Iterable[str] | None = None
) -> dict[str, Any]:
    """The value, if it is a mapping, has no other keys than the known ones, and each
    of them once."""
    if isinstance(value, _Twice):
        raise FencingFileError("stands twice")
    if not isinstance(value, dict):
        raise FencingFileError(f"{what} must hold key: value pairs")
    for key, found in value.items():
        if isinstance(found, _Twice):
            raise FencingFileError(f"{key} stands twice")
        if known is not None and key not in known:
            raise FencingFileError(f"unknown key {key}" + spelling.hint(key, known))
    return value
