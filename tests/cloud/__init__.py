# SPDX-License-Identifier: Apache-2.0
"""A real Nova in one process: for the demo, functional tests and benchmarks.

Scheduler, conductor, computes, API and Placement are the real ones; the hypervisor,
keystone, glance, neutron and cinder are small stand-ins. Importing this package
prepares the process for Nova (see :mod:`tests.cloud.concurrency`), so it has to be
the first import of a program that uses it.
"""

from tests.cloud.concurrency import patch

patch()  # the next import pulls in Nova, which must find the process prepared

from tests.cloud.client import CloudError  # noqa: E402
from tests.cloud.cloud import Cloud  # noqa: E402
from tests.cloud.hardware import Size  # noqa: E402

__all__ = ["Cloud", "CloudError", "Size", "patch"]
