# SPDX-License-Identifier: Apache-2.0
"""The tables stay as they are; the records in them have fields, members of enums and
kinds of events that older versions cannot read.

An older version has to know that before it begins: it refuses a journal with a number
that it does not know. tests/integration/journal/test_shape.py says when the next one is
due.
"""

revision = "005"
down_revision = "004"


def upgrade() -> None:
    """A field that a record lacks gets its default."""
