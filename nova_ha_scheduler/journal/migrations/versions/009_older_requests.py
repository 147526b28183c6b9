# SPDX-License-Identifier: Apache-2.0
"""An old request is watched also where its destination does not return: what is kept
of it has more fields, which need no value in what was kept before."""

revision = "009"
down_revision = "008"


def upgrade() -> None:
    pass
