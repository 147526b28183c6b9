# SPDX-License-Identifier: Apache-2.0
"""Which of several triggers on one journal is active."""
