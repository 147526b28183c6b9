# SPDX-License-Identifier: Apache-2.0
"""What is told of hosts that die while somebody has their service disabled."""

revision = "010"
down_revision = "009"


def upgrade() -> None:
    """A field that a record lacks gets its default."""
