# SPDX-License-Identifier: Apache-2.0
"""Hosts whose fence device says off before they were silent for long."""

revision = "018"
down_revision = "017"


def upgrade() -> None:
    """New words and fields, and nothing to be changed."""
