# SPDX-License-Identifier: Apache-2.0
"""What nova-scheduler reads of Nova's aggregates is the same on each kind of database.

One of them compares without regard to case and blanks; the others do not."""

import uuid

import pytest
import sqlalchemy as sa
from nova.db.api import api as api_db
from nova.db.api import models
from oslo_db.sqlalchemy import enginefacade

from nova_ha_scheduler import lookup
from nova_ha_scheduler.rules.terms import HostFacts

SAID = {
    "zone": {"Storage_Zone ": " nfs-a", "availability_zone": "az1"},
    "reserve": {"HA:Reserved": "true", "ha:reservd": "true"},
    "maintenance": {"ha : maintenance\n": "yes"},
    "theirs": {"filter_tenant_id": "7"},
}


@pytest.fixture
def nova(url: str, fresh: None, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """Nova's API database, with an aggregate for each of these, and c1 in all."""
    context_manager = enginefacade.transaction_context()
    context_manager.configure(connection=url)
    monkeypatch.setattr(api_db, "context_manager", context_manager)
    engine = context_manager.writer.get_engine()
    tables = [
        model.__table__
        for model in (models.Aggregate, models.AggregateMetadata, models.AggregateHost)
    ]
    models.BASE.metadata.create_all(engine, tables=tables)
    aggregate, tag, member = tables
    with engine.begin() as connection:
        for number, (name, metadata) in enumerate(SAID.items(), 1):
            row = {"id": number, "uuid": str(uuid.UUID(int=number)), "name": name}
            connection.execute(sa.insert(aggregate).values(row))
            of = {"aggregate_id": number}
            connection.execute(sa.insert(member).values(of | {"host": "c1"}))
            for key, value in metadata.items():
                row = of | {"key": key, "value": value}
                connection.execute(sa.insert(tag).values(row))
    yield engine
    engine.dispose()


@pytest.mark.usefixtures("nova")
def test_keys_count_in_any_spelling() -> None:
    found = lookup.aggregates("c1")
    assert [aggregate.name for aggregate in found.tagged] == [
        "zone",
        "reserve",
        "maintenance",
    ]
    assert found.source_facts == HostFacts(
        frozenset({"nfs-a"}), frozenset({"ha:reserved", "ha:maintenance"})
    )
