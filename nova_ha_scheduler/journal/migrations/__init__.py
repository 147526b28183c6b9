# SPDX-License-Identifier: Apache-2.0
"""The alembic environment, part of the package so that the wheel can upgrade."""
