# SPDX-License-Identifier: Apache-2.0
"""What has happened since this process began, for Prometheus: it adds up those of
several triggers by itself, so each counts while it is the active one."""

from collections.abc import Callable, Iterable

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram

from nova_ha_scheduler.records.effects import Effect, Outcome, Result
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerState
from nova_ha_scheduler.records.state import Change, State

SILENT, FENCING, FIRST, LAST = STAGES = (
    "silent",
    "fencing",
    "first_server_up",
    "last_server_up",
)
"""Of a recovery: from the last sign of life to the suspicion; from there to the proof
of death; from there to the first, and to the last server that is up again."""

_BUCKETS = (1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 3600)

_ENDS = (EventKind.HOST_RECOVERED, EventKind.HOST_INCOMPLETE)

_RESULTS = (Result.OK, Result.REFUSED, Result.UNKNOWN)

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class Counts:
    """To be used from one thread, and read from any."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        registry = self.registry
        self._events = Counter(
            "nova_ha_events",
            "Events of the history, by kind.",
            ["kind"],
            registry=registry,
        )
        self._fences = Counter(
            "nova_ha_fence",
            "Attempts to power a host off, by method and by result: ok (it was seen "
            "off), refused (it is still on), unknown (the device did not say).",
            ["method", "result"],
            registry=registry,
        )
        self._stages = Histogram(
            "nova_ha_recovery_stage_seconds",
            "Of each recovery: silent (last sign of life to suspicion), fencing (from "
            "there to the proof of death), first_server_up and last_server_up (from "
            "the proof to the first and the last server that is up again).",
            ["stage"],
            buckets=_BUCKETS,
            registry=registry,
        )
        # A rate can only be seen where there was a value before.
        for kind in EventKind:
            self._events.labels(kind.value)
        for stage in STAGES:
            self._stages.labels(stage)
        self._seen: set[str] = set()

    def know(self, methods: Iterable[str]) -> None:
        """Fence methods that may be used from now on."""
        for method in sorted({*methods} - self._seen):
            self._seen.add(method)
            for result in _RESULTS:
                self._fences.labels(method, result.value)

    def event(self, event: Event) -> None:
        self._events.labels(event.kind.value).inc()

    def learn(
        self, change: Change, state: State, heard_at: Callable[[str], float | None]
    ) -> None:
        """
        :param change: what the active trigger has just written down.
        :param state: a state that has it, or a younger one.
        :param heard_at: when there was the last sign of life of a host.
        """
        for outcome in change.closed:
            self._fence(outcome)
        for event in change.events:
            host = state.hosts.get(event.recovery)
            if event.kind is EventKind.HOST_SUSPECTED:
                self._observe(SILENT, heard_at(event.host), event.at)
            elif event.kind in _ENDS and host is not None:
                self._recovered(host, state)

    def _fence(self, outcome: Outcome) -> None:
        if outcome.intent.effect is Effect.FENCE and outcome.result in _RESULTS:
            method = outcome.by or "none"
            self.know([method])
            self._fences.labels(method, outcome.result.value).inc()

    def _recovered(self, host: HostRecovery, state: State) -> None:
        """Once for each recovery: who is tried again later is no part of it."""
        ends = (HostState.RECOVERED.value, HostState.INCOMPLETE.value)
        if all(end in host.stages for end in ends):
            return
        proven = host.stages.get(HostState.FENCED.value)
        self._observe(FENCING, host.started_at, proven)
        up = [
            server.ended_at
            for server in state.servers.values()
            if server.recovery == host.id and server.state is ServerState.RECOVERED
        ]
        if times := [at for at in up if at is not None]:
            self._observe(FIRST, proven, min(times))
            self._observe(LAST, proven, max(times))

    def _observe(self, stage: str, begun: float | None, ended: float | None) -> None:
        if begun is not None and ended is not None:
            self._stages.labels(stage).observe(max(0.0, ended - begun))
