# SPDX-License-Identifier: Apache-2.0
"""Choose the concurrency mode that operators of each Nova release run with.

Nova 33 (2026.1) and later run their services in native threads; older releases run
under eventlet, which has to replace the standard library's blocking calls before
anything else is imported. ``nova.monkey_patch`` does both; how it is asked differs.
"""

import inspect
import os

#: Nova patches again whenever its command or API packages are imported. This
#: variable makes every one of those calls agree with the first.
_NO_EVENTLET = "OS_NOVA_DISABLE_EVENTLET_PATCHING"

_patched = False


def patch() -> None:
    """Prepare this process for the installed Nova; later calls do nothing.

    :raises RuntimeError: from Nova, when eventlet is already imported but the
        installed release runs in native threads.
    """
    global _patched
    if _patched:
        return
    _patched = True

    from nova import monkey_patch

    nova_patch = getattr(monkey_patch, "patch", None)
    if nova_patch is None:
        return  # nova 31 patches when the module is imported
    if "backend" not in inspect.signature(nova_patch).parameters:
        nova_patch()  # nova 32 knows only its default, eventlet
        return
    os.environ.setdefault(_NO_EVENTLET, "true")
    nova_patch(backend="threading")
