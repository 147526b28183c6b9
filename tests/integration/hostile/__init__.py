# SPDX-License-Identifier: Apache-2.0
"""Peers that hang, drip, flood or lie: each exchange ends, and none is believed."""
