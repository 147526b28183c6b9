# SPDX-License-Identifier: Apache-2.0
"""Of each death it is known whether it was the second one in a short time."""

revision = "011"
down_revision = "010"


def upgrade() -> None:
    """A field that a record lacks gets its default."""
