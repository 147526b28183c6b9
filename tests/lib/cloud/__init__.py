# SPDX-License-Identifier: Apache-2.0
"""A real Nova in one process: for the demo, functional tests and benchmarks.

Scheduler, conductor, computes, API and Placement are the real ones; the hypervisor,
keystone, glance, neutron and cinder are small stand-ins. Importing this package
prepares the process for Nova (see :mod:`tests.lib.cloud.concurrency`), so it has to be
the first import of a program that uses it.
"""

import importlib
from typing import TYPE_CHECKING, Any

from tests.lib.cloud.concurrency import patch
from tests.lib.errors import CloudError

if TYPE_CHECKING:
    from tests.lib.cloud.cloud import Cloud
    from tests.lib.cloud.hardware import Size

patch()  # whatever is imported next may pull in Nova, which must find it prepared

__all__ = ["Cloud", "CloudError", "Size", "patch"]

_MODULES = {"Cloud": "tests.lib.cloud.cloud", "Size": "tests.lib.cloud.hardware"}


def __getattr__(name: str) -> Any:
    """Import all of Nova only for who wants it, not for who uses a stand-in."""
    if name not in _MODULES:
        raise AttributeError(name)
    return getattr(importlib.import_module(_MODULES[name]), name)
