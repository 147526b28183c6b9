# SPDX-License-Identifier: Apache-2.0
"""High availability for Nova: sticky storage zones, a reserve, maintenance."""
