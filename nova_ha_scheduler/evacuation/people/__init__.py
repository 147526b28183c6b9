# SPDX-License-Identifier: Apache-2.0
"""What people order of the trigger, and where they stop it."""
