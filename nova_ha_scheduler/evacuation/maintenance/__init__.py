# SPDX-License-Identifier: Apache-2.0
"""Maintenances of hosts, and moves of servers that are well."""
