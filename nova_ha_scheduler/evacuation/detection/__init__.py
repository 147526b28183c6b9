# SPDX-License-Identifier: Apache-2.0
"""Who looks dead, whether that can be believed, and what has to be looked at."""
