# SPDX-License-Identifier: Apache-2.0
"""Servers that cannot be moved while they run are stopped for that."""

revision = "023"
down_revision = "022"


def upgrade() -> None:
    """New words and new fields, and nothing to be changed."""
