# SPDX-License-Identifier: Apache-2.0
"""A server may wait because more urgent ones may need the room in a moment: a reason
that an older version does not know. Nothing is to be changed."""

revision = "012"
down_revision = "011"


def upgrade() -> None:
    pass
