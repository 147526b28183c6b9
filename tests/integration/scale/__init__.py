# SPDX-License-Identifier: Apache-2.0
"""The plugin on a real Nova with more hosts than Placement hands out."""

import tests.lib.cloud  # noqa: F401  prepares the process, before anything imports Nova
