# SPDX-License-Identifier: Apache-2.0
"""What Nova notifies, and what the history tells others."""
