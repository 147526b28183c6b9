# SPDX-License-Identifier: Apache-2.0
"""A fence device that says off of a host that is heard of is no device."""

revision = "022"
down_revision = "021"


def upgrade() -> None:
    """A new word, and nothing to be changed."""
