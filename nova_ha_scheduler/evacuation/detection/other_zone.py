# SPDX-License-Identifier: Apache-2.0
"""Evacuations by somebody else to another storage zone: where a server's disk was made
anew, and the old one is deleted by the host that it lies in the zone of.

Nova asks no filter about an evacuation with ``force``. The destination does not see the
disk, and makes a new one from the image. When the nova-compute of the dead host starts
again, it finds that the server was evacuated, and that its new host does not share its
storage: so it deletes the disk, which is the only one with the owner's data.
"""

from nova_ha_scheduler.cluster.picture import Migration
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.records.events import EventKind

_TO_COME = ("accepted", "pre-migrating", "done")
"""The records after which a nova-compute deletes disks when it starts."""

WORDS = (
    "somebody evacuates it from {source} ({here}) to {destination} ({there}), where "
    "its disk is made anew, unless it is a volume. The disk with its data lies in "
    "{here} still, and {source} deletes it when its nova-compute starts: keep {source} "
    "off until the disk is saved"
)


class OtherZoneWatch:
    """Tells of each such record when it is met.

    Only in memory: after a restart it is told again.
    """

    def __init__(self) -> None:
        self._met: set[int] = set()

    def watch(self, step: Step) -> None:
        """To be called once a step, with the step's picture."""
        found = {record.id: record for record in _records(step)}
        for id in found.keys() - self._met:
            record = found[id]
            server = step.picture.servers.get(record.server)
            step.tell(
                EventKind.OTHER_ZONE,
                host=record.source,
                server=record.server,
                server_name=server.name if server else "",
                source=record.source,
                destination=record.destination or "",
                reason=_words(step, record),
            )
        self._met |= found.keys()


def _records(step: Step) -> list[Migration]:
    """Those of evacuations that the trigger did not ask for."""
    asked = (s for s in step.servers.values() if s.request_id)
    ours = {(s.server, s.source, s.destination) for s in asked}
    return [
        record
        for record in step.picture.migrations
        if record.kind == "evacuation"
        and record.status in _TO_COME
        and (record.server, record.source, record.destination) not in ours
        and _leaves_its_zone(step, record)
    ]


def _leaves_its_zone(step: Step, record: Migration) -> bool:
    here = step.picture.zones_of(record.source)
    there = record.destination and step.picture.zones_of(record.destination)
    return bool(here and record.destination and not here & (there or frozenset()))


def _words(step: Step, record: Migration) -> str:
    source, destination = record.source, record.destination or ""
    here, there = (
        ", ".join(sorted(step.picture.zones_of(host))) or "no zone"
        for host in (source, destination)
    )
    return WORDS.format(source=source, here=here, destination=destination, there=there)
