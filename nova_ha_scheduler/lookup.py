# SPDX-License-Identifier: Apache-2.0
"""What a RequestSpec does not tell, read from Nova's databases.

All queries of the scheduler plugin are in this file. A request makes each of them
once at the most: :func:`server` (two statements in the server's cell, three if it is
volume-backed; moves only) and :func:`aggregates` (one statement in the API database).
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from nova import context as nova_context
from nova import exception, objects
from nova.db.api import api as api_db
from nova.db.api import models
from nova.db.main import api as cell_db
from nova.db.main import models as cell_models
from oslo_context import context as oslo_context

from nova_ha_scheduler import host_facts
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import HostFacts, TaggedAggregate


class LookupFailed(Exception):
    """A database did not answer, or not with what was asked for."""


@dataclass(frozen=True)
class NewestMigration:
    """A server's newest migration record."""

    type: str
    status: str
    source: str


@dataclass(frozen=True)
class StoredServer:
    """A server as its cell's database shows it now.

    :ivar has_local: whether a disk of it lies on its host: its root disk, or one that
        its present flavor gives it whatever it boots from (ephemeral, swap).
    """

    host: str | None
    task_state: str | None
    migration: NewestMigration | None
    has_local: bool


def _admin_context() -> Any:
    """The scheduler's present request with all rights; Nova hands filters none.

    A new context instead would take the place of the request's in every later line
    of this thread's log.
    """
    current = oslo_context.get_current()
    if isinstance(current, nova_context.RequestContext):
        return current.elevated()
    return nova_context.get_admin_context()


def _read_server(context: Any, uuid: str, volume_backed: bool) -> StoredServer:
    """Not Instance, which loads the whole of it, four times as slowly.

    :raises nova.exception.InstanceNotFound: there is none.
    """
    instance, record = cell_models.Instance, cell_models.Migration
    with cell_db.get_context_manager(context).reader.using(context) as session:
        found = (
            session.query(instance.host, instance.task_state)
            .filter_by(uuid=uuid, deleted=0)
            .first()
        )
        newest = (
            session.query(record.migration_type, record.status, record.source_compute)
            .filter_by(instance_uuid=uuid, deleted=0)
            .order_by(record.id.desc())
            .first()
        )
    if found is None:
        raise exception.InstanceNotFound(instance_id=uuid)
    return StoredServer(
        host=found.host,
        task_state=found.task_state,
        migration=NewestMigration(*newest) if newest else None,
        has_local=not volume_backed or _has_local(context, uuid),
    )


def _has_local(context: Any, uuid: str) -> bool:
    instance = objects.Instance.get_by_uuid(context, uuid, expected_attrs=["flavor"])
    return bool(instance.flavor.ephemeral_gb or instance.flavor.swap)


def server(uuid: str, cell: Any, timeout: float, volume_backed: bool) -> StoredServer:
    """Look a server up in its cell.

    :param uuid: the server's UUID.
    :param cell: a nova.objects.CellMapping, or None: then the API database is asked
        for it (Nova leaves it out for a cold migration to a named host where the
        user may migrate across cells).
    :param timeout: in seconds.
    :param volume_backed: whether its root disk is a volume: then its flavor is read,
        too.
    :raises LookupFailed: it names the cell.
    """
    context = _admin_context()
    try:
        if cell is None:
            mapping = objects.InstanceMapping.get_by_instance_uuid(context, uuid)
            cell = mapping.cell_mapping
        # Nova's own way to survive a cell whose database hangs.
        found = nova_context.scatter_gather_cells(
            context, [cell], timeout, _read_server, uuid, volume_backed
        )[cell.uuid]
    except Exception as error:
        raise LookupFailed(f"cannot look for its cell: {error}") from error
    if isinstance(found, StoredServer):
        return found
    if found is nova_context.did_not_respond_sentinel:
        raise LookupFailed(
            f"the database of cell {cell.identity} did not answer within {timeout} s"
        )
    raise LookupFailed(f"the database of cell {cell.identity}: {found}")


@dataclass(frozen=True)
class KnownAggregates:
    """The aggregates with metadata that the rules know.

    :ivar tagged: all of them.
    :ivar source_facts: what those of the asked host say of it, together.
    """

    tagged: tuple[TaggedAggregate, ...]
    source_facts: HostFacts


def _plain(key: Any) -> Any:
    """A key without its case and blanks, which databases heed or not, as they are made:
    so none of vocabulary.meant() is missed. What is read too much, the rules let be."""
    for blank in vocabulary.BLANKS:
        key = sa.func.replace(key, blank, "")
    return sa.func.lower(key)


def _read_tags(context: Any, host: str | None) -> list[Any]:
    """(UUID, name, key, value, the host if it is a member), a row for each tag.

    Not AggregateList, which loads every host of every aggregate: a hundred rows
    here would be thousands there.
    """
    aggregate, tag, member = (
        models.Aggregate,
        models.AggregateMetadata,
        models.AggregateHost,
    )
    with api_db.context_manager.reader.using(context) as session:
        return list(
            session.query(
                aggregate.uuid, aggregate.name, tag.key, tag.value, member.host
            )
            .join(tag, tag.aggregate_id == aggregate.id)
            .outerjoin(
                member,
                (member.aggregate_id == aggregate.id) & (member.host == host),
            )
            .filter(_plain(tag.key).in_(vocabulary.AGGREGATE_KEYS))
            .order_by(aggregate.id)
        )


def aggregates(host: str | None = None) -> KnownAggregates:
    """Look up the tagged aggregates and, by the way, what they say of one host.

    :param host: the service host's name, as in the aggregates.
    :raises LookupFailed: when the API database does not answer.
    """
    try:
        rows = _read_tags(_admin_context(), host)
    except Exception as error:
        raise LookupFailed(f"cannot read the host aggregates: {error}") from error
    names: dict[str, str] = {}
    metadata: dict[str, dict[str, str]] = {}
    of_host: set[str] = set()
    for uuid, name, key, value, member in rows:
        names[uuid] = name
        metadata.setdefault(uuid, {})[key] = value
        # Databases may compare names without regard to case; hosts differ by it.
        if member is not None and member == host:
            of_host.add(uuid)
    tagged = tuple(
        TaggedAggregate(uuid, names[uuid], host_facts.of_aggregate(names[uuid], tags))
        for uuid, tags in metadata.items()
    )
    return KnownAggregates(tagged, HostFacts.of(metadata[uuid] for uuid in of_host))
