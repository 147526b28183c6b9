# SPDX-License-Identifier: Apache-2.0
"""The engine's World in production."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from oslo_log import log as logging

from nova_ha_scheduler.clock import Clock, SystemClock
from nova_ha_scheduler.cluster.errors import CloudUnreachable, Refused
from nova_ha_scheduler.cluster.openstack import fields, parse
from nova_ha_scheduler.cluster.openstack.aggregates import Aggregates
from nova_ha_scheduler.cluster.openstack.api import READ, Api
from nova_ha_scheduler.cluster.openstack.observer import Observer
from nova_ha_scheduler.cluster.picture import Picture, Scope
from nova_ha_scheduler.evacuation import interfaces
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.interfaces import Power, PowerReport
from nova_ha_scheduler.records.effects import OFF_BY_ITSELF, RUN, STOP, Effect, Intent
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import Policy

LOG = logging.getLogger(__name__)


class OpenStackCloud:
    """:class:`.interfaces.Cloud` over openstacksdk.

    Safe to be used from several threads.
    """

    def __init__(
        self,
        api: Api,
        clock: Clock,
        policy: Policy | None = None,
        thorough: bool = False,
    ) -> None:
        """:param policy, thorough: see Observer."""
        self._api = api
        self._observer = Observer(api, clock, policy, thorough)
        self._aggregates = Aggregates(api)

    def judge_by(self, policy: Policy) -> None:
        """From the next picture on."""
        self._observer.policy = policy

    def observe(self, scope: Scope) -> Picture:
        return self._observer.observe(scope)

    def carry_out(self, intent: Intent) -> str | None:
        destination = {"host": intent.destination} if intent.destination else {}
        actions: Mapping[Effect, dict[str, Any]] = {
            Effect.EVACUATE: {"evacuate": destination},
            Effect.RESET_STATE: {"os-resetState": {"state": "error"}},
            Effect.SET_ACTIVE: {"os-resetState": {"state": "active"}},
            Effect.START: {"os-start": None},
            Effect.STOP: {"os-stop": None},
            Effect.STOP_TO_MOVE: {"os-stop": None},
            Effect.REBOOT: {"reboot": {"type": "HARD"}},
            Effect.LIVE_MIGRATE: {
                "os-migrateLive": {**destination, "block_migration": "auto"}
            },
            Effect.COLD_MIGRATE: {"migrate": destination},
            Effect.CONFIRM: {"confirmResize": None},
        }
        if action := actions.get(intent.effect):
            return self._api.act("POST", f"/servers/{intent.server}/action", action)
        if intent.effect is Effect.FORCE_COMPLETE:
            path = f"/servers/{intent.server}/migrations/{intent.text}/action"
            return self._api.act("POST", path, {"force_complete": None})
        changes: Mapping[Effect, dict[str, Any]] = {
            Effect.FORCE_DOWN: {"forced_down": True},
            Effect.LIFT_FORCE_DOWN: {"forced_down": False},
            Effect.DISABLE: {"status": "disabled", "disabled_reason": intent.text},
            Effect.ENABLE: {"status": "enabled"},
        }
        if change := changes.get(intent.effect):
            self._change_service(intent.host, change)
        elif intent.effect is Effect.FLAG:
            self._aggregates.tag(intent.host, vocabulary.MAINTENANCE, "true")
        elif intent.effect is Effect.UNFLAG:
            self._aggregates.untag(intent.host, vocabulary.MAINTENANCE)
        else:
            raise ValueError(f"nobody carries out {intent.effect.value}")
        return None

    def runs(self, server: str) -> bool:
        """nova.compute.manager of Nova 34 asks its driver, and answers for what runs
        alone."""
        try:
            self._api.get("compute", f"/servers/{server}/diagnostics", READ)
        except CloudUnreachable as error:
            if error.status != 409:
                raise
            return False
        return True

    def ordered(self, server: str) -> str:
        path = f"/servers/{server}/os-instance-actions"
        found = self._api.get("compute", path, READ)
        where = f"compute GET {path}"
        said = parse.ordered(fields.listed(found, "instanceActions", where))
        if said is None:
            return ""
        runs, by_user = said
        return RUN if runs else STOP if by_user else OFF_BY_ITSELF

    def explain(self, server: str, request_id: str) -> str:
        path = f"/servers/{server}/os-instance-actions/{request_id}"
        found = self._api.get("compute", path, READ).get("instanceAction")
        return parse.failure(found.get("events") if isinstance(found, dict) else None)

    def _change_service(self, host: str, change: dict[str, Any]) -> None:
        if host not in self._observer.services:
            self._observer.observe(Scope())
        service = self._observer.services.get(host)
        if service is None:
            raise Refused(f"there is no nova-compute service on {host}")
        self._api.act("PUT", f"/os-services/{service}", change)


class NamedFencing(interfaces.Fencing, Protocol):
    """Devices that may know a host by another name than Nova does."""

    def hear_names(self, names: Mapping[str, str]) -> None:
        """What the hosts' machines call themselves, by host."""


class ProductionWorld(OpenStackCloud):
    """OpenStack, the fence devices and the witnesses.

    :param only: the hosts that may be fenced, in a run that a person started for
        them; others may look dead, but are none of its business.
    """

    def __init__(
        self,
        api: Api,
        fencing: NamedFencing,
        witnesses: interfaces.Witnesses,
        only: Collection[str] | None = None,
        policy: Policy | None = None,
    ) -> None:
        super().__init__(api, SystemClock(), policy)
        self._fencing, self._witnesses, self._only = fencing, witnesses, only
        self._expected: frozenset[str] = frozenset()

    def fence_by(self, fencing: NamedFencing) -> None:
        """From now on; what is under way goes on as it began."""
        self._fencing = fencing

    def witness_by(self, witnesses: interfaces.Witnesses) -> None:
        """From now on."""
        self._witnesses = witnesses

    def expect(self, host: str) -> None:
        """Show all of this host in the next picture: it was said to be dead."""
        self._expected |= {host}

    def observe(self, scope: Scope) -> Picture:
        expected = self._expected & self._observer.services.keys()
        if expected:
            scope = replace(
                scope,
                hosts=scope.hosts | expected,
                destinations=True,
                overview=True,
                servers_only=frozenset(),  # who may be dead comes first
            )
        picture = super().observe(scope)
        self._expected = frozenset()
        self._fencing.hear_names(self._observer.names)
        return suspicion.with_methods(picture, self.lacks)

    def power_off(self, host: str) -> PowerReport:
        if no := self._foreign(host):
            return PowerReport(Power.UNKNOWN, "nobody", no)
        return self._fencing.power_off(host)

    def power(self, host: str) -> PowerReport:
        return self._fencing.power(host)

    def check(self, host: str) -> PowerReport:
        return self._fencing.check(host)

    def lacks(self, host: str) -> str:
        return self._fencing.lacks(host)

    def testify(self, host: str, since: float = 0.0) -> Sequence[interfaces.Testimony]:
        if no := self._foreign(host):
            return [
                interfaces.Testimony("nova-ha", interfaces.WitnessVerdict.UNKNOWN, no)
            ]
        return self._witnesses.testify(host, since)

    def _foreign(self, host: str) -> str | None:
        """Why nothing is done to a host, if so."""
        if self._only is None or host in self._only:
            return None
        names = ", ".join(self._only)
        return f"this trigger was started by hand for {names} alone"
