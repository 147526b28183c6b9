# SPDX-License-Identifier: Apache-2.0
"""What the journal keeps: plain, frozen data, without logic.

All times are seconds since the epoch, UTC. Every enum's value is the word that is
stored and shown. :mod:`.state` is all of it together.
"""
