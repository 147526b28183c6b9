# SPDX-License-Identifier: Apache-2.0
"""What has another name or shape today than in what was kept: a line for each.

It is emptied when all is kept anew.
"""

from tests.lib.decisions.shapes import Renames

RENAMED = Renames(fields={}, members={}, reshaped={})
