# SPDX-License-Identifier: Apache-2.0
"""The product as its users get it: wheel, service files, pages."""
