# SPDX-License-Identifier: Apache-2.0
"""Every step of many lives, kept before a refactoring and decided again after it."""
