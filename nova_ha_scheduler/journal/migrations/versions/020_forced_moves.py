# SPDX-License-Identifier: Apache-2.0
"""What is kept of live migrations that are completed by force."""

revision = "020"
down_revision = "019"


def upgrade() -> None:
    """New words and new fields, and nothing to be changed."""
