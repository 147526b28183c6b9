# SPDX-License-Identifier: Apache-2.0
"""As whom the trigger acts in the cloud is told."""

revision = "019"
down_revision = "018"


def upgrade() -> None:
    """A new word, and nothing to be changed."""
