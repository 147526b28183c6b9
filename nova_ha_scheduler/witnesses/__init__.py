# SPDX-License-Identifier: Apache-2.0
"""Witnesses: who else can tell whether a host is dead.

A witness that cannot tell says so: UNKNOWN never counts as dead. None of them is
proof; that comes from fencing alone.
"""

import abc
import concurrent.futures
from collections.abc import Sequence
from typing import Any, ClassVar

from oslo_config import cfg
from stevedore import driver, exception

from nova_ha_scheduler.evacuation.interfaces import Testimony, WitnessVerdict
from nova_ha_scheduler.witnesses import conf as witnesses_conf

NAMESPACE = "nova_ha_scheduler.witnesses"
"""The entry point group; the name is the one in [witnesses] enabled."""

GRACE = 1.0
"""Seconds beyond its own time limit before a witness is not waited for."""

HOST = "{host}"


class WitnessOptionError(cfg.Error):
    """The options do not let a witness work; the text names the option."""


class Witness(abc.ABC):
    """One way to see whether a host lives.

    :cvar HOST_IN: the option in which {host} stands for the host.
    """

    HOST_IN: ClassVar[str]

    def __init__(self, options: cfg.ConfigOpts.GroupAttr) -> None:
        """:raises WitnessOptionError: one that it needs is missing or cannot be."""
        self.options = options
        if HOST not in (options[self.HOST_IN] or ""):  # the same for every host
            raise WitnessOptionError(
                f"[witnesses] {self.HOST_IN}: {HOST} is missing in it"
            )

    @abc.abstractmethod
    def ask(self, host: str, since: float = 0.0) -> tuple[WitnessVerdict, str]:
        """Look, within about options.timeout seconds.

        :param since: what was seen before that does not count: cannot tell then.
            Seconds since the epoch; one that looks for itself sees what is now.
        :returns: the verdict, and what was seen.
        """

    def filled(self, host: str) -> str:
        """The text of the option HOST_IN for a host."""
        return str(self.options[self.HOST_IN]).replace(HOST, host)


class EnabledWitnesses:
    """All witnesses that nova-ha.conf enables, asked side by side.

    :raises WitnessOptionError: one that does not exist, or lacks an option.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        witnesses_conf.register_opts(conf)
        self._timeout: float = conf.witnesses.timeout
        self._all = {n: _load(n)(conf.witnesses) for n in conf.witnesses.enabled}

    def testify(self, host: str, since: float = 0.0) -> Sequence[Testimony]:
        """Ask all; blocks for the time limit. No witnesses: an empty answer.

        :param since: only what was seen after that counts.
        """
        if not self._all:
            return ()
        pool = concurrent.futures.ThreadPoolExecutor(len(self._all))
        asked = {name: pool.submit(w.ask, host, since) for name, w in self._all.items()}
        concurrent.futures.wait(asked.values(), self._timeout + GRACE)
        pool.shutdown(wait=False)
        return [Testimony(name, *_answer(future)) for name, future in asked.items()]


def _answer(
    future: "concurrent.futures.Future[tuple[WitnessVerdict, str]]",
) -> tuple[WitnessVerdict, str]:
    if not future.done():
        return WitnessVerdict.UNKNOWN, "it did not answer in time"
    error = future.exception()
    if error:  # not its text: an HTTP library's may hold credentials
        return WitnessVerdict.UNKNOWN, f"it broke with {type(error).__name__}"
    return future.result()


def _load(name: str) -> Any:
    """The class of a witness."""
    try:
        return driver.DriverManager(NAMESPACE, name).driver
    except exception.NoMatches:
        raise WitnessOptionError(
            f"[witnesses] enabled: there is no witness {name}"
        ) from None
    except Exception as error:
        raise WitnessOptionError(f"[witnesses] enabled: {name}: {error}") from error
