# SPDX-License-Identifier: Apache-2.0
"""The demo, in a process of its own, as a person runs it."""
