# SPDX-License-Identifier: Apache-2.0
"""Pauses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "002"
down_revision = "001"

_OPTIONS = {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}
_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    options = {
        f"{db}_{k}": v for db in ("mysql", "mariadb") for k, v in _OPTIONS.items()
    }
    pauses = sa.Table(
        "pauses",
        sa.MetaData(),
        sa.Column("id", sa.String(255), primary_key=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double()),
        sa.Column("record", _TEXT, nullable=False),
        **options,
    )
    # MariaDB keeps a table that an interrupted upgrade has made.
    pauses.create(op.get_bind(), checkfirst=True)
