# SPDX-License-Identifier: Apache-2.0
"""Who may read nova-ha.conf, in which the cloud's password stands."""

import contextlib
import grp
import os
import stat
from collections.abc import Collection, Iterator

from oslo_config import cfg

from nova_ha_scheduler.doctor.finding import Finding, Severity

GROUP = "nova-ha"
"""The service's, as docs/install.md has it made."""

_MODE = 0o640


def configuration_open(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    """Of each file that was read. :raises OSError: one is there no more."""
    for path in conf.config_file or ():
        found = os.stat(path)
        yield from judged(path, stat.S_IMODE(found.st_mode), found.st_gid, _ours())


def judged(
    path: str, mode: int, group: int, ours: Collection[int]
) -> Iterator[Finding]:
    """
    :param mode: its permissions.
    :param group: the id of its group.
    :param ours: groups that may read it.
    """
    who = None
    if mode & ~_MODE:
        who = f"its mode is {mode:04o}"
    elif mode & stat.S_IRGRP and group not in ours:
        who = f"its group {_name(group)} may read it"
    if who:
        yield Finding(
            Severity.WARNING,
            f"{path}: {who}",
            "What the file says of passwords is open to others: of the trigger's user, "
            "who may do everything in the cloud, of the database, of receivers.",
            f"chown root:{GROUP} {path} and chmod {_MODE:04o} {path}",
        )


def _ours() -> set[int]:
    """root's, the service's, and of this process: a service that has another one."""
    found = {0, os.getegid()}
    with contextlib.suppress(KeyError):
        found.add(grp.getgrnam(GROUP).gr_gid)
    return found


def _name(group: int) -> str:
    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)
