# SPDX-License-Identifier: Apache-2.0
"""Witnesses: who else can tell whether a host is dead.

A witness that cannot tell says so: UNKNOWN never counts as dead. None of them is
proof; that comes from fencing alone.
"""

import abc
import concurrent.futures
from collections.abc import Sequence
from typing import ClassVar

from oslo_config import cfg
from stevedore import driver as stevedore_driver
from stevedore import exception as stevedore_exception

from nova_ha_scheduler.evacuation.interfaces import Testimony, Verdict
from nova_ha_scheduler.witnesses import conf as witnesses_conf

NAMESPACE = "nova_ha_scheduler.witnesses"
"""The entry point group; the name is the one in [witnesses] enabled."""

GRACE = 1.0
"""Seconds beyond its own time limit before a witness is not waited for."""

HOST = "{host}"


class ConfigError(cfg.Error):
    """The options do not let a witness work; the text names the option."""


class Witness(abc.ABC):
    """One way to see whether a host lives."""

    NAME: ClassVar[str]

    def __init__(self, options: cfg.ConfigOpts.GroupAttr) -> None:
        """:raises ConfigError: an option that it needs is missing or cannot be."""
        self.options = options

    @abc.abstractmethod
    def ask(self, host: str) -> tuple[Verdict, str]:
        """Look, within about options.timeout seconds.

        :returns: the verdict, and what was seen.
        """

    def filled(self, option: str, host: str) -> str:
        """The option's text for a host."""
        return str(self.options[option]).replace(HOST, host)

    def needs_host(self, option: str) -> None:
        """Refuse a text that would be the same for every host."""
        if HOST not in str(self.options[option] or ""):
            raise ConfigError(f"[witnesses] {option}: {HOST} is missing in it")


class Witnesses:
    """All witnesses that nova-ha.conf enables, asked side by side.

    :raises ConfigError: one that does not exist, or lacks an option.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        witnesses_conf.register_opts(conf)
        self._timeout: float = conf.witnesses.timeout
        self._all = [_load(name, conf) for name in conf.witnesses.enabled]

    def testify(self, host: str) -> Sequence[Testimony]:
        """Ask all; blocks for the time limit. No witnesses: an empty answer."""
        if not self._all:
            return ()
        pool = concurrent.futures.ThreadPoolExecutor(len(self._all))
        asked = [(witness, pool.submit(witness.ask, host)) for witness in self._all]
        concurrent.futures.wait([f for _, f in asked], self._timeout + GRACE)
        pool.shutdown(wait=False)
        return [_testimony(witness, future) for witness, future in asked]


def _testimony(
    witness: Witness, future: "concurrent.futures.Future[tuple[Verdict, str]]"
) -> Testimony:
    if not future.done():
        return Testimony(witness.NAME, Verdict.UNKNOWN, "it did not answer in time")
    error = future.exception()
    if error:  # not its text: an HTTP library's may hold credentials
        detail = f"it broke with {type(error).__name__}"
        return Testimony(witness.NAME, Verdict.UNKNOWN, detail)
    return Testimony(witness.NAME, *future.result())


def _load(name: str, conf: cfg.ConfigOpts) -> Witness:
    def fail(manager: object, entry: object, error: Exception) -> None:
        raise ConfigError(f"[witnesses] enabled: {name}: {error}") from error

    try:
        found = stevedore_driver.DriverManager(
            NAMESPACE, name, on_load_failure_callback=fail
        )
    except stevedore_exception.NoMatches:
        raise ConfigError(f"[witnesses] enabled: there is no witness {name}") from None
    witness: Witness = found.driver(conf.witnesses)
    return witness
