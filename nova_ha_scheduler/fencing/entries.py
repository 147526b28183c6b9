# SPDX-License-Identifier: Apache-2.0
"""From what stands in the fencing file to the drivers of its hosts.

An entry is one level, or a list of them. A level is one device, or its ``outlets``, a
list of devices that all have to be off.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from stevedore import driver, exception

from nova_ha_scheduler import spelling
from nova_ha_scheduler.fencing import (
    NAMESPACE,
    Deadlines,
    Driver,
    FencingFileError,
    positive,
)
from nova_ha_scheduler.fencing.identity import shared, twice
from nova_ha_scheduler.fencing.levels import Level, Levels
from nova_ha_scheduler.fencing.manual import Manual
from nova_ha_scheduler.fencing.secrets import SECRET_KEY, Secret

OUTLETS = "outlets"
"""The key of a level with several devices."""

LIMITS = {"power_off_timeout": "power_off", "request_timeout": "request"}
"""Keys that each device may have, whatever its method, as fields of Deadlines."""


class Twice:
    """Stands for the value of a key that is there more than once: which is meant?"""


@contextmanager
def within(place: str) -> Iterator[None]:
    """Say where it is what cannot be used."""
    try:
        yield
    except FencingFileError as error:
        raise FencingFileError(f"{place}: {error}") from None


@dataclass
class Entries:
    """
    :ivar usable: what each host is fenced by.
    :ivar unusable: of each other host, what is wrong with its entry.
    :ivar disputed: what some of those would have, if it were not another one's, too.
    """

    usable: dict[str, Levels] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    disputed: dict[str, Levels] = field(default_factory=dict)


def entries(content: Any, limits: Deadlines) -> Entries:
    """All hosts of a fencing file.

    :raises FencingFileError: it cannot be used as a whole.
    """
    top = _mapping(content, "the file", {"defaults", "hosts"})
    defaults = _mapping(top.get("defaults", {}), "defaults")
    for method, settings in defaults.items():
        with within(f"defaults: {method}"):
            _mapping(settings, "defaults", _known(_driver_class(method)))
    found = Entries()
    for host, said in _hosts(top).items():
        try:
            found.usable[host] = _levels(host, said, defaults, limits)
        except FencingFileError as error:
            found.unusable[host] = str(error)
        except Exception as error:  # a driver's bug; its text may hold credentials
            found.unusable[host] = f"it cannot be read: {type(error).__name__}"
    for host, others in shared(places(found.usable)).items():
        found.unusable[host] = f"has the same device as host {', '.join(others)}"
        found.disputed[host] = found.usable.pop(host)
    return found


def places(hosts: Mapping[str, Levels]) -> dict[str, list[object]]:
    """Where the devices of each host are."""
    return {
        host: [device.device for device in levels.devices]
        for host, levels in hosts.items()
    }


def _hosts(top: Mapping[str, Any]) -> dict[str, Any]:
    hosts = top.get("hosts")
    return hosts if isinstance(hosts, dict) else _mapping(hosts, "hosts")


def _levels(
    host: str, content: Any, defaults: Mapping[str, Any], limits: Deadlines
) -> Levels:
    if not isinstance(content, list):
        content = [content]
    elif not content:
        raise FencingFileError("its list of levels is empty")
    found = []
    for number, said in enumerate(content, 1):
        if len(content) == 1:
            found.append(_level(host, said, defaults, limits))
            continue
        with within(f"level {number}"):
            found.append(_level(host, said, defaults, limits))
    levels = Levels(found)
    devices = levels.devices
    if len(devices) > 1 and any(device.METHOD == Manual.METHOD for device in devices):
        raise FencingFileError(
            "manual is no level: a person's word ends the wait for any device"
        )
    if any(not level.proves for level in (found[-1], *found[1:])):
        raise FencingFileError(
            "kdump only waits: it is the first level, and the next one gives the proof"
        )
    for slot, device in enumerate(devices):
        device.slot = slot
    return levels


def _level(
    host: str, content: Any, defaults: Mapping[str, Any], limits: Deadlines
) -> Level:
    said = _mapping(content, "its value")
    if OUTLETS not in said:
        return Level((_driver(host, said, defaults, limits),))
    _mapping(said, "its value", {OUTLETS})
    outlets = said[OUTLETS]
    if not isinstance(outlets, list) or len(outlets) < 2:
        raise FencingFileError(f"{OUTLETS}: a list of two or more devices is needed")
    found = []
    for number, one in enumerate(outlets, 1):
        with within(f"outlet {number}"):
            found.append(_driver(host, one, defaults, limits))
    if twice(device.device for device in found):
        raise FencingFileError(f"{OUTLETS}: two of them are one and the same")
    return Level(tuple(found))


def _driver(
    host: str, content: Any, defaults: Mapping[str, Any], limits: Deadlines
) -> Driver:
    own = dict(_mapping(content, "its value"))
    if "method" not in own:
        meant = spelling.nearest("method", own)
        words = f" ({meant} is no key: did you mean method?)" if meant else ""
        raise FencingFileError("method is missing" + words)
    method = own.pop("method")
    cls = _driver_class(method)
    settings = {**defaults.get(method, {}), **own}
    for key, value in defaults.get(method, {}).items():
        if isinstance(value, dict) and isinstance(settings[key], dict):
            settings[key] = {**value, **settings[key]}
    _mapping(settings, "its value", _known(cls))
    missing = sorted(cls.REQUIRED - settings.keys())
    if missing:
        raise FencingFileError(f"{', '.join(missing)} missing for method {method}")
    sealed = _sealed(settings)
    own_limits = {
        name: positive(key, sealed.pop(key))
        for key, name in LIMITS.items()
        if key in sealed
    }
    return cls(host, sealed, replace(limits, **own_limits))


def _known(cls: type[Driver]) -> frozenset[str]:
    return cls.REQUIRED | cls.OPTIONAL | LIMITS.keys()


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
    if isinstance(value, Twice):
        raise FencingFileError("stands twice")
    if not isinstance(value, dict):
        raise FencingFileError(f"{what} must hold key: value pairs")
    for key, found in value.items():
        if isinstance(found, Twice):
            raise FencingFileError(f"{key} stands twice")
        if known is not None and key not in known:
            raise FencingFileError(f"unknown key {key}" + spelling.hint(key, known))
    return value
