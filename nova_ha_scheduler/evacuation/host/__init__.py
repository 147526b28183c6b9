# SPDX-License-Identifier: Apache-2.0
"""The recovery of a dead host: its states, the proof, and what Nova is told of it."""
