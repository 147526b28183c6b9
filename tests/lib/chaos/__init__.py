# SPDX-License-Identifier: Apache-2.0
"""Hosts die at random in the full stack (tests/lib/stack), while other things fail.

``make chaos SEED=1 MINUTES=3``; what a seed chooses is drawn beforehand (choices.py)
and depends on nothing else.
"""

import tests.lib.cloud as _  # noqa: F401  (prepares for Nova, before anything is imported)
