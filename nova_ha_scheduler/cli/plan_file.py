# SPDX-License-Identifier: Apache-2.0
"""A plan as a file: who would go where when these hosts die, to be carried out later
if it still holds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nova_ha_scheduler import codec
from nova_ha_scheduler.cluster.picture import Picture
from nova_ha_scheduler.cluster.snapshot import BadFile
from nova_ha_scheduler.evacuation import dry_run
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.records.server_recovery import ServerPhase, ServerState

FORMAT = codec.Format("nova-ha-plan", 1)

_WORDS = {
    ServerState.ASKED: "evacuate",
    ServerState.WAITING: "wait",
    ServerState.MOVING: "moving",
    ServerState.LANDED: "moving",
    ServerState.LEFT: "leave",
}


@dataclass(frozen=True)
class PlannedServer:
    """What becomes of one server.

    :ivar outcome: evacuate, wait (there is no place now), leave, or moving (somebody
        has asked for its evacuation already).
    :ivar reason: why it waits or is left, as a sentence.
    :ivar meant: whether it is to be recovered at all.
    :ivar needs: what it takes there.
    """

    server: str
    name: str
    source: str
    priority: int
    outcome: str
    destination: str | None
    reason: str
    meant: bool
    needs: Mapping[str, int]

    @property
    def stays(self) -> bool:
        """Whether it is to be recovered, and would not be now."""
        return self.meant and self.outcome not in ("evacuate", "moving")

    def __str__(self) -> str:
        """'web1 evacuate to node2', 'web2 leave: Nova refuses ...'."""
        place = f" to {self.destination}" if self.destination else ""
        why = f": {self.reason}" if self.reason else ""
        return f"{self.name} {self.outcome}{place}{why}"


@dataclass(frozen=True)
class Plan:
    """:ivar steps: the servers of the hosts in the order of asking."""

    taken_at: float
    hosts: tuple[str, ...]
    steps: tuple[PlannedServer, ...]

    def destinations(self, host: str) -> dict[str, str]:
        """The planned ones of a host's servers, by server."""
        return {
            step.server: step.destination
            for step in self.steps
            if step.source == host and step.outcome == "evacuate" and step.destination
        }


def make(picture: Picture, options: Options, hosts: Sequence[str]) -> Plan:
    """What the engine would do now; see :func:`.dry_run.plan`.

    :raises Refused: Nova knows no such host.
    """
    hosts = tuple(dict.fromkeys(hosts))
    steps = (
        PlannedServer(
            server=record.server,
            name=record.name,
            source=record.source,
            priority=record.priority,
            outcome=_WORDS[record.state],
            destination=record.destination,
            reason=record.sentence,
            meant=record.phase is not ServerPhase.AS_INTENDED,
            needs=dict(sorted(picture.servers[record.server].needs.items())),
        )
        for record in dry_run.plan(picture, options, hosts)
    )
    return Plan(picture.taken_at, hosts, tuple(steps))


def dump(plan: Plan) -> str:
    return json.dumps(FORMAT.plain(plan), indent=1, sort_keys=True) + "\n"


def load(text: str) -> Plan:
    """:raises BadFile: it says what is wrong, and where."""
    try:
        return FORMAT.load(Plan, text)
    except codec.Unreadable as error:
        raise BadFile(str(error)) from error


def differences(kept: Plan, fresh: Plan) -> list[str]:
    """What has changed since, a sentence for each server; none: nothing relevant.

    The order of asking counts, too: whoever asks first chooses first.
    """
    before = {step.server: step for step in kept.steps}
    after = {step.server: step for step in fresh.steps}
    found = []
    for server in dict.fromkeys([*before, *after]):
        old, new = before.get(server), after.get(server)
        if old is None or new is None:
            step = old or new
            words = "is not on its host any more" if old else "is new"
            found.append(f"{step.name if step else server} {words}")
        elif old != new:
            found.append(f"then: {old}; now: {new}{_else(old, new)}")
    if not found and list(before) != list(after):
        found.append("the order of asking is another one")
    return found


def _else(old: PlannedServer, new: PlannedServer) -> str:
    """What has changed, where the sentences are the same."""
    if str(old) != str(new):
        return ""
    changed = (k for k, value in vars(old).items() if value != vars(new)[k])
    return f" ({', '.join(changed)} changed)"
