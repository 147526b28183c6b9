# SPDX-License-Identifier: Apache-2.0
"""Two checks for oslo.middleware's healthcheck: is it ready, and is it alive?

=====  ==============================================================================
ready  200 while the hosts are protected: nova-ha health would end with 0 or 1. A
       trigger that stands by says so of the active one
alive  200 while the loop of this very trigger goes on, whatever it is in
=====  ==============================================================================
"""

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from oslo_config import cfg
from oslo_middleware.healthcheck import Healthcheck, pluginbase

from nova_ha_scheduler.health.problems import Code

READY, ALIVE = "nova_ha_ready", "nova_ha_alive"
"""The names of the entry points in oslo.middleware.healthcheck."""

_KEY = "nova_ha"


@dataclass(frozen=True)
class Answers:
    """
    :ivar code: what nova-ha health ends with; line: what it says.
    :ivar alive: whether the loop goes on.
    """

    code: Code
    line: str
    alive: bool


def application(check: str, ask: Callable[[], Answers]) -> Any:
    """A WSGI application.

    :param check: READY or ALIVE.
    :raises RuntimeError: the entry points are missing, and it would always say yes.
    """
    asked = _Asked(ask)
    made = Healthcheck(None, {"backends": [check], _KEY: asked})
    if asked.by != 1:
        raise RuntimeError(f"{check} is no entry point: install the package anew")
    return made


class _Asked:
    """:ivar by: how many checks have been made for it."""

    def __init__(self, ask: Callable[[], Answers]) -> None:
        self.ask, self.by = ask, 0


class _Check(pluginbase.HealthcheckBaseExtension):
    def __init__(self, oslo_conf: cfg.ConfigOpts, conf: dict[str, Any]) -> None:
        super().__init__(oslo_conf, conf)
        self._asked: _Asked = conf[_KEY]
        self._asked.by += 1

    def healthcheck(self, server_port: int) -> pluginbase.HealthcheckResult:
        good, words = self.judged(self._asked.ask())
        return pluginbase.HealthcheckResult(good, words)

    @abc.abstractmethod
    def judged(self, answers: Answers) -> tuple[bool, str]:
        """Whether it is well, and in which words."""


class Ready(_Check):
    """Are the hosts protected?"""

    def judged(self, answers: Answers) -> tuple[bool, str]:
        return answers.code in (Code.PROTECTED, Code.DEGRADED), answers.line


class Alive(_Check):
    """Does this trigger work?"""

    def judged(self, answers: Answers) -> tuple[bool, str]:
        if answers.alive:
            return True, "this trigger's loop goes on"
        return False, "this trigger's loop stands still, or each of its steps breaks"
