# SPDX-License-Identifier: Apache-2.0
"""A maintenance of a host that is being switched off is refused."""

revision = "021"
down_revision = "020"


def upgrade() -> None:
    """A new word, and nothing to be changed."""
