# SPDX-License-Identifier: Apache-2.0
"""A word that the queues of a dead host are empty holds for the servers whose orders
lay there by then. Where one was given before, it has to be given again."""

revision = "026"
down_revision = "025"


def upgrade() -> None:
    """Records that lack the field have its default."""
