# SPDX-License-Identifier: Apache-2.0
"""The engine's World in production."""

import time
from collections.abc import Sequence
from dataclasses import replace

from nova_ha_scheduler.evacuation.cloud import Picture, Scope
from nova_ha_scheduler.evacuation.interfaces import (
    Fencing,
    Power,
    PowerReport,
    Testimony,
    Verdict,
    Witnesses,
)
from nova_ha_scheduler.evacuation.openstack.adapter import OpenStackCloud
from nova_ha_scheduler.evacuation.openstack.api import Api


class SystemClock:
    def now(self) -> float:
        return time.time()


class ProductionWorld(OpenStackCloud):
    """OpenStack, the fence devices and the witnesses.

    :param only: the one host that may be fenced, in a run that a person started for
        it; others may look dead, but are none of its business.
    """

    def __init__(
        self, api: Api, fencing: Fencing, witnesses: Witnesses, only: str | None = None
    ) -> None:
        super().__init__(api, SystemClock())
        self._fencing, self._witnesses, self._only = fencing, witnesses, only
        self._expected: frozenset[str] = frozenset()

    def expect(self, host: str) -> None:
        """Show all of this host in the next picture: it was said to be dead."""
        self._expected |= {host}

    def observe(self, scope: Scope) -> Picture:
        if self._expected:
            hosts = scope.hosts | self._expected
            scope = replace(scope, hosts=hosts, destinations=True, overview=True)
        picture = super().observe(scope)
        self._expected = frozenset()
        return picture

    def power_off(self, host: str) -> PowerReport:
        if self._is_foreign(host):
            return PowerReport(Power.UNKNOWN, "nobody", self._for_one())
        return self._fencing.power_off(host)

    def power(self, host: str) -> PowerReport:
        return self._fencing.power(host)

    def testify(self, host: str) -> Sequence[Testimony]:
        if self._is_foreign(host):
            return [Testimony("nova-ha", Verdict.UNKNOWN, self._for_one())]
        return self._witnesses.testify(host)

    def _is_foreign(self, host: str) -> bool:
        return self._only not in (None, host)

    def _for_one(self) -> str:
        return f"this trigger was started by hand for {self._only} alone"
