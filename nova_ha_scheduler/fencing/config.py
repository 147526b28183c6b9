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
      compute-4:                    # levels: the next one, when one gives no proof
        - {method: redfish, address: https://192.0.2.14, power_off_timeout: 30}
        - outlets:                  # both have to be off
            - {method: agent, agent: fence_apc_snmp, options: {ip: 192.0.2.8, port: 4}}
            - {method: agent, agent: fence_apc_snmp, options: {ip: 192.0.2.9, port: 4}}

Every value is text, as written: no octal numbers, no "no" that becomes false. What
is not understood is an error, as a dropped key could be a dropped fencing step. An
error in one host's entry costs that host its fencing, and no other one.
"""

import concurrent.futures
import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any

import yaml
from oslo_config import cfg

from nova_ha_scheduler import files
from nova_ha_scheduler.cluster.host_names import same_machine
from nova_ha_scheduler.evacuation.interfaces import Power, PowerReport
from nova_ha_scheduler.fencing import Deadlines, FencingFileError
from nova_ha_scheduler.fencing import conf as fencing_conf
from nova_ha_scheduler.fencing.entries import Twice, entries, places, within
from nova_ha_scheduler.fencing.identity import Ledger, shared
from nova_ha_scheduler.fencing.levels import Levels
from nova_ha_scheduler.fencing.rests import Rests

_LIES = (
    "it says that the host is off, which Nova holds for up: see whose power that "
    "device cuts"
)


class FenceDevices:
    """What each host of the fencing file is fenced by, by exact host name.

    :ivar unusable: of each host whose entry cannot be used, the sentence that says why.
    """

    def __init__(
        self,
        path: str,
        hosts: Mapping[str, Levels],
        unusable: Mapping[str, str] | None = None,
        disputed: Mapping[str, Levels] | None = None,
    ) -> None:
        """:param disputed: what some of these would have, if it were not another one's,
        too."""
        self._path = path
        self._hosts = hosts
        self._disputed = disputed or {}
        self.unusable = dict(unusable or {})
        self._ledger, rests = Ledger(), Rests()
        for levels in hosts.values():
            for device in levels.devices:
                device.ledger, device.rests = self._ledger, rests
        self._under_way: dict[str, float] = {}
        """The hosts that are being powered off, and since when."""

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> "FenceDevices":
        """Load the file that nova-ha.conf names.

        :raises FencingFileError: the file as a whole cannot be used; it says why.
        """
        fencing_conf.register_opts(conf)
        options = conf.fencing
        limits = Deadlines(
            options.power_off_timeout, options.request_timeout, options.refused_rest
        )
        return load(options.config_file, limits)

    def keeping(self, older: "FenceDevices") -> "FenceDevices":
        """The same; but a host whose entry cannot be used keeps its older one, unless
        its device is another one's by now. Who is to have a device that two have is
        not known: neither keeps anything."""
        mine = {**self._hosts, **self._disputed}
        older_ones = {
            host: levels
            for host, levels in older._hosts.items()
            if host in self.unusable and host not in mine
        }
        taken = shared(places({**mine, **older_ones}))
        kept = {host: d for host, d in older_ones.items() if host not in taken}
        hosts = {**self._hosts, **kept}
        new = FenceDevices(self._path, hosts, self.unusable, self._disputed)
        new._under_way = older._under_way
        new._ledger.keep(older._ledger, hosts.keys() - new.differs_in(older))
        return new

    def differs_in(self, older: "FenceDevices") -> frozenset[str]:
        """The hosts that are fenced by something else than before."""
        hosts = self._hosts.keys() | older._hosts.keys()
        return frozenset(h for h in hosts if self._what(h) != older._what(h))

    def _what(self, host: str) -> Any:
        levels = self._hosts.get(host)
        return levels and levels.what

    def hear_names(self, names: Mapping[str, str]) -> None:
        """What the hosts' machines call themselves, by host."""
        self._ledger.names = names

    def lacks(self, host: str) -> str:
        """Why a host cannot be fenced, as a sentence; "": it has a method."""
        if host in self._hosts:
            return ""
        if host in self.unusable:
            return f"{self._path}: host {host}: {self.unusable[host]}"
        others = self._hosts.keys() - self._ledger.names.keys()
        return f"{self._path} has no entry for it{same_machine(host, others)}"

    @property
    def methods(self) -> dict[str, str]:
        """The method of each host; of several levels, all in their order."""
        return {host: levels.method for host, levels in self._hosts.items()}

    @property
    def seconds(self) -> float:
        """As long as one power-off may take by all time-outs of one host."""
        return max((levels.seconds for levels in self._hosts.values()), default=0.0)

    def power_off(self, host: str) -> PowerReport:
        """Power a host off and watch; blocks for as long as its levels may take."""
        self._under_way[host] = time.time()
        try:
            return self._ask(host, Levels.power_off)
        finally:
            self._under_way.pop(host, None)

    @property
    def answers(self) -> dict[str, tuple[float, str]]:
        """Of each host that is being powered off: since when, in seconds since the
        epoch, and what its device has answered last."""
        return {
            host: (since, self._hosts[host].answer)
            for host, since in [*self._under_way.items()]
            if host in self._hosts
        }

    def power(self, host: str) -> PowerReport:
        """Look, and change nothing; blocks for a few times request_timeout."""
        return self._ask(host, Levels.power)

    def check(self, host: str) -> PowerReport:
        """Look whether all devices of a host would serve; UNKNOWN: one would not."""
        return self._ask(host, Levels.check)

    def _ask(self, host: str, do: Callable[[Levels], PowerReport]) -> PowerReport:
        levels = self._hosts.get(host)
        if levels is None:
            return PowerReport(Power.UNKNOWN, "none", self.lacks(host))
        try:
            return do(levels)
        except Exception as error:
            # A driver's bug. Its text may hold credentials; whatever it is, the
            # host is not fenced.
            words = f"broke with {type(error).__name__}"
            return PowerReport(Power.UNKNOWN, levels.method, words)

    @property
    def with_device(self) -> list[str]:
        """The hosts whose method has a device that can be checked."""
        known = places(self._hosts).items()
        return sorted(host for host, found in known if any(found))

    def broken(self, parallelism: int = 8, up: Collection[str] = ()) -> dict[str, str]:
        """Ask all devices for the power state; blocks.

        :param up: the hosts that Nova hears of: whatever says that one is off is the
            device of another machine.
        :returns: host to sentence, for the devices that would not serve now.
        """
        hosts = self.with_device
        with concurrent.futures.ThreadPoolExecutor(parallelism) as pool:
            reports = dict(zip(hosts, pool.map(self.check, hosts), strict=True))
        found = {h: r.detail for h, r in reports.items() if r.power is Power.UNKNOWN}
        off = {h for h, report in reports.items() if report.power is Power.OFF}
        found |= dict.fromkeys(off.intersection(up), _LIES)
        for host in hosts:  # those that were asked before whoever has their device
            if no := self._hosts[host].objection():
                found.setdefault(host, no)
        return found


class _Loader(yaml.BaseLoader):
    """Text only."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, Any]:
        # First: it says no to keys that are no text.
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=True)
        for key, times in Counter(key.value for key, _ in node.value).items():
            if times > 1:
                mapping[key] = Twice()
        return mapping


def load(path: str, limits: Deadlines) -> FenceDevices:
    """Read the fencing file and make a driver for each of its hosts.

    No device is asked. What is wrong with the entry of one host stands in
    FenceDevices.unusable. :raises FencingFileError: the file cannot be used as a whole.
    """
    with within(path):
        found = entries(_read(path), limits)
    return FenceDevices(path, found.usable, found.unusable, found.disputed)


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
