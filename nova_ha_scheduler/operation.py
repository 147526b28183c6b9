# SPDX-License-Identifier: Apache-2.0
"""From Nova's RequestSpec to the rules' Request: what is asked, and from where.

Nova marks almost none of this, so it is read from what the operation leaves behind.
``tests/integration/plugin/test_operations.py`` holds each row on every supported Nova:

=============  ======================  ===============  ========================
operation      RequestSpec             task_state       newest migration
=============  ======================  ===============  ========================
boot           destination: no cell    (not looked up)
unshelve       cell                    unshelving       (the server has no host)
live migrate   cell                    migrating        live-migration, accepted
cold migrate   cell                    resize_prep      migration, pre-migrating
resize         cell                    resize_prep      resize, pre-migrating
evacuate       cell, ignores its host  rebuilding       evacuation, accepted
rebuild        cell, forces its host   rebuilding       (any)
=============  ======================  ===============  ========================

The scheduler hint ``_nova_check_type``, by which Nova itself knows a rebuild, is not
read: hints are a tenant's to set, and only Nova's API keeps this one out.
"""

from dataclasses import dataclass
from typing import Any

from oslo_log import log as logging

from nova_ha_scheduler import lookup
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import Operation, Request
from nova_ha_scheduler.rules.vocabulary import BadValue

LOG = logging.getLogger(__name__)

_REMEMBERED = "_nova_ha_scheduler"

_MOVES = {
    ("migrating", "live-migration", "accepted"): Operation.LIVE_MIGRATE,
    ("resize_prep", "migration", "pre-migrating"): Operation.COLD_MIGRATE,
    ("resize_prep", "resize", "pre-migrating"): Operation.RESIZE,
    ("rebuilding", "evacuation", "accepted"): Operation.EVACUATE,
}


class Ambiguous(Exception):
    """Nova shows something that is no row of the table."""


@dataclass
class Scheduling:
    """One scheduling request and what was looked up for it.

    It lies on the RequestSpec, which Nova makes anew for each request and which
    one thread works on; so the look-ups of all filters, weighers and the pre-filter
    are made once, and nothing is shared between requests.
    """

    request: Request
    found: lookup.KnownAggregates | None = None

    @property
    def aggregates(self) -> lookup.KnownAggregates:
        """The tagged aggregates; a boot looks them up only if it is asked for them.

        :raises LookupFailed: when the API database does not answer.
        """
        if self.found is None:
            self.found = lookup.aggregates(self.request.source)
        return self.found


def classify(
    server: lookup.StoredServer, ignored: list[str], forced: list[str]
) -> Operation:
    """Tell the moves apart.

    :param server: as its cell shows it.
    :param ignored: the RequestSpec's ignore_hosts.
    :param forced: the RequestSpec's force_hosts.
    :raises Ambiguous: it says what was seen.
    """
    if server.host is None:
        if server.task_state == "unshelving":
            return Operation.UNSHELVE
        raise Ambiguous(f"it is on no host and its task_state is {server.task_state}")
    migration = server.migration
    if (
        server.task_state == "rebuilding"
        and forced == [server.host]
        and server.host not in ignored
    ):
        return Operation.REBUILD
    seen = (
        f"it is on {server.host}, its task_state is {server.task_state}, its newest "
        f"migration {migration}, ignore_hosts {ignored}, force_hosts {forced}"
    )
    if migration is None or migration.source != server.host:
        raise Ambiguous(seen)
    operation = _MOVES.get((server.task_state or "", migration.type, migration.status))
    if operation is None or (
        operation is Operation.EVACUATE and server.host not in ignored
    ):
        raise Ambiguous(seen)
    return operation


def describe(spec: Any, timeout: float) -> Scheduling:
    """The rules' view of a nova.objects.RequestSpec; looked up once, then remembered.

    A failed or ambiguous look-up is an UNKNOWN operation, with a warning.

    :param timeout: of the look-up in the server's cell, in seconds.
    """
    scheduling: Scheduling | None = getattr(spec, _REMEMBERED, None)
    if scheduling is None:
        scheduling = _look(spec, timeout)
        remember(spec, scheduling)
    return scheduling


def remember(spec: Any, scheduling: Scheduling) -> None:
    """Have :func:`describe` answer with this for a RequestSpec."""
    setattr(spec, _REMEMBERED, scheduling)


def _look(spec: Any, timeout: float) -> Scheduling:
    ha = _flavor_ha(spec.flavor)
    uuid = spec.instance_uuid
    ignored = _get(spec, "ignore_hosts") or []
    destination = _get(spec, "requested_destination")
    try:
        # Every move sets the cell, if only to None; no boot does.
        if destination is None or "cell" not in destination:
            if ignored:
                raise Ambiguous(f"its request has no cell, but ignores {ignored}")
            return Scheduling(Request(Operation.BOOT, uuid, ha))
        # is_bfv: set anew by the conductor for every move (heal_reqspec_is_bfv).
        volume_backed = bool(_get(spec, "is_bfv"))
        server = lookup.server(uuid, destination.cell, timeout, volume_backed)
        operation = classify(server, ignored, _get(spec, "force_hosts") or [])
        if operation is Operation.UNSHELVE:
            return Scheduling(Request(operation, uuid, ha))
        found = lookup.aggregates(server.host)
    except (lookup.LookupFailed, Ambiguous) as problem:
        LOG.warning(
            "Cannot tell which operation is asked for server %(server)s: "
            "%(problem)s. The reserve stays closed to the server, and no host is in "
            "its storage zone.",
            {"server": uuid, "problem": problem},
        )
        return Scheduling(
            Request(Operation.UNKNOWN, uuid, ha, problem=str(problem)),
        )
    return Scheduling(
        Request(
            operation,
            uuid,
            ha,
            source=server.host,
            source_facts=found.source_facts,
            local_disk=_has_local_disk(spec, server),
            disposable=vocabulary.disposable(_extra_specs(spec.flavor)),
        ),
        found,
    )


def _get(obj: Any, field: str) -> Any:
    """A field of a versioned object, None where it is not set."""
    return getattr(obj, field) if field in obj else None


def _extra_specs(flavor: Any) -> dict[str, str]:
    return _get(flavor, "extra_specs") or {}


def _flavor_ha(flavor: Any) -> bool | str:
    try:
        return vocabulary.boolean(_extra_specs(flavor), vocabulary.HA)
    except BadValue as error:
        return f"flavor {flavor.name} has {error}"


def _has_local_disk(spec: Any, server: lookup.StoredServer) -> bool:
    """Whether a disk lies on the host, by the flavor of today or of a resize."""
    return bool(server.has_local or spec.flavor.ephemeral_gb or spec.flavor.swap)
