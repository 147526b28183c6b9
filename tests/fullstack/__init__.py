# SPDX-License-Identifier: Apache-2.0
"""The plugin and the trigger in an OpenStack of real processes (tests/lib/stack)."""
