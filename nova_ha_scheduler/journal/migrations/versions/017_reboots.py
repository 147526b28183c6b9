# SPDX-License-Identifier: Apache-2.0
"""What is told of hosts that reboot by themselves."""

revision = "017"
down_revision = "016"


def upgrade() -> None:
    """New words, and nothing to be changed."""
