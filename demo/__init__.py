# SPDX-License-Identifier: Apache-2.0
"""The scheduler plugin at work in a real Nova: ``python -m demo``."""
