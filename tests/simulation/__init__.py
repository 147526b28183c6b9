# SPDX-License-Identifier: Apache-2.0
"""A simulated cloud: Nova as it was measured, power, fence devices, witnesses."""
