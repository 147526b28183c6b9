# SPDX-License-Identifier: Apache-2.0
"""The engine's Cloud."""

from nova_ha_scheduler.evacuation.cloud import Picture, Scope
from nova_ha_scheduler.evacuation.interfaces import Clock, Refused
from nova_ha_scheduler.evacuation.openstack.api import Api
from nova_ha_scheduler.evacuation.openstack.observer import Observer


class OpenStackCloud:
    """:class:`nova_ha_scheduler.evacuation.interfaces.Cloud` over openstacksdk.

    Safe to be used from several threads.
    """

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._observer = Observer(api, clock)

    def observe(self, scope: Scope) -> Picture:
        return self._observer.observe(scope)

    def force_down(self, host: str) -> None:
        self._service(host, {"forced_down": True})

    def lift_force_down(self, host: str) -> None:
        self._service(host, {"forced_down": False})

    def disable(self, host: str, reason: str) -> None:
        self._service(host, {"status": "disabled", "disabled_reason": reason})

    def enable(self, host: str) -> None:
        self._service(host, {"status": "enabled"})

    def evacuate(self, server: str, destination: str | None) -> str:
        wanted = {"host": destination} if destination else {}
        return self._action(server, {"evacuate": wanted})

    def start(self, server: str) -> str:
        return self._action(server, {"os-start": None})

    def stop(self, server: str) -> str:
        return self._action(server, {"os-stop": None})

    def _action(self, server: str, body: dict[str, object]) -> str:
        return self._api.act("POST", f"/servers/{server}/action", body)

    def _service(self, host: str, change: dict[str, object]) -> None:
        if host not in self._observer.services:
            self._observer.observe(Scope())
        service = self._observer.services.get(host)
        if service is None:
            raise Refused(f"there is no nova-compute service on {host}")
        self._api.act("PUT", f"/os-services/{service}", change)
