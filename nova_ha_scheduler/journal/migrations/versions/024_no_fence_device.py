# SPDX-License-Identifier: Apache-2.0
"""Reasons of a host without a fence device, and of one that is on again."""

revision = "024"
down_revision = "023"


def upgrade() -> None:
    """New words, and nothing to be changed."""
