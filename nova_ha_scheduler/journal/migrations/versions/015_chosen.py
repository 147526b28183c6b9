# SPDX-License-Identifier: Apache-2.0
"""A person may order where servers go, and nowhere else: commands and hosts say so. An
older version would send them elsewhere. What was kept before says no such thing."""

revision = "015"
down_revision = "014"


def upgrade() -> None:
    pass
