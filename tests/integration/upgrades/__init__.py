# SPDX-License-Identifier: Apache-2.0
"""The trigger, or Nova, becomes a newer one in the middle of a recovery."""
