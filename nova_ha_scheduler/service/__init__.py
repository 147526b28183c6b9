# SPDX-License-Identifier: Apache-2.0
"""The process around the engine: when it looks, who leads, how it starts and ends."""
