# SPDX-License-Identifier: Apache-2.0
"""Intents, carried out: in threads, and evacuations no faster than Nova takes them."""
