# SPDX-License-Identifier: Apache-2.0
"""Decisions, with what they were made on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "004"
down_revision = "003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BYTES = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
_OPTIONS = {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}


def upgrade() -> None:
    metadata = sa.MetaData()
    options = {
        f"{db}_{k}": v for db in ("mysql", "mariadb") for k, v in _OPTIONS.items()
    }
    sa.Table(
        "decisions",
        metadata,
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("at", sa.Double(), nullable=False, index=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", _BYTES, nullable=False),
        sqlite_autoincrement=True,
        **options,
    )
    # MariaDB keeps tables that an interrupted upgrade has made.
    metadata.create_all(op.get_bind())
