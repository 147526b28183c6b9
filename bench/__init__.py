# SPDX-License-Identifier: Apache-2.0
"""What the plugin costs, as ratios measured in one run (``make bench``)."""

import tests.lib.cloud  # noqa: F401  prepares the process, before anything imports Nova
