# SPDX-License-Identifier: Apache-2.0
"""There is an event of an evacuation to another storage zone, which an older version
does not know. Nothing is to be changed."""

revision = "014"
down_revision = "013"


def upgrade() -> None:
    pass
