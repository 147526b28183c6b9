# SPDX-License-Identifier: Apache-2.0
"""``nova-ha``: what operators ask of the trigger and order it to do."""
