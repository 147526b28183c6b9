# SPDX-License-Identifier: Apache-2.0
"""Hours of deaths, returns and maintenance, with ceilings on what grows."""
