# SPDX-License-Identifier: Apache-2.0
"""A server's record knows when Nova has last said what its users have ordered of it; an
older version knows neither that, nor the effect that asks. Nothing is to be changed."""

revision = "008"
down_revision = "007"


def upgrade() -> None:
    pass
