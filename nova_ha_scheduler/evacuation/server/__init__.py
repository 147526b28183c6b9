# SPDX-License-Identifier: Apache-2.0
"""The recovery of the servers of dead hosts."""
