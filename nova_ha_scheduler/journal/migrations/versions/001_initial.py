# SPDX-License-Identifier: Apache-2.0
"""The first tables, which need no migration; later ones begin here.

They stand written out in tests/integration/journal/first_tables.py, from which every
later version has to be able to upgrade. sqlite alters a column within
op.batch_alter_table alone.
"""

revision = "001"
down_revision = None


def upgrade() -> None:
    """Nothing is older."""
