# SPDX-License-Identifier: Apache-2.0
"""Maintenances, and the moves of servers that are well."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "003"
down_revision = "002"

_KEY, _NAME, _WORD = sa.String(320), sa.String(255), sa.String(64)
_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
_OPTIONS = {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}


def upgrade() -> None:
    metadata = sa.MetaData()
    options = {
        f"{db}_{k}": v for db in ("mysql", "mariadb") for k, v in _OPTIONS.items()
    }
    sa.Table(
        "windows",
        metadata,
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("host", _NAME, nullable=False, index=True),
        sa.Column("started_at", sa.Double(), nullable=False, index=True),
        sa.Column("ended_at", sa.Double(), index=True),
        sa.Column("record", _TEXT, nullable=False),
        **options,
    )
    sa.Table(
        "moves",
        metadata,
        sa.Column("job", _KEY, primary_key=True),
        sa.Column("server", _WORD, primary_key=True, index=True),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("ended_at", sa.Double(), index=True),
        sa.Column("record", _TEXT, nullable=False),
        **options,
    )
    # MariaDB keeps tables that an interrupted upgrade has made.
    metadata.create_all(op.get_bind())
