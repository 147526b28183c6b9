# SPDX-License-Identifier: Apache-2.0
"""A server may be left for its affinity group, which an older version has no word for.
Nothing is to be changed."""

revision = "016"
down_revision = "015"


def upgrade() -> None:
    pass
