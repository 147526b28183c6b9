# SPDX-License-Identifier: Apache-2.0
"""Looks at the whole cloud, and publishes what admission goes by.

As a program, ``python -m nova_ha_scheduler.service.publish --config-file ...``, it
writes ``[ha_scheduler] admission_file``; the trigger runs it beside itself.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from oslo_config import cfg

from nova_ha_scheduler.admission import published
from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import whole
from nova_ha_scheduler.cluster.picture import Picture
from nova_ha_scheduler.cluster.snapshot import BadFile
from nova_ha_scheduler.planner import reserve
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service import parts, startup

_NICE = 19
"""Whatever else the machine has to do comes first."""


def publish(path: Path, picture: Picture, preferences: Preferences) -> None:
    """:raises BadFile: it cannot be written; what was there is as it was."""
    found = reserve.zones(Ground(picture.hosts, preferences), picture.servers)
    published.write(path, picture.taken_at, found)


def main(arguments: Sequence[str] | None = None) -> int:
    """:returns: 1 if nothing was published; the last line says why."""
    try:
        given = sys.argv[1:] if arguments is None else arguments
        conf = startup.load("nova-ha", given)
        options = trigger_conf.options(conf)
        picture = whole.take(parts.cloud(conf), SystemClock())
        publish(Path(conf.ha_scheduler.admission_file), picture, options)
    except (cfg.Error, CloudUnreachable, BadFile) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.nice(_NICE)
    sys.exit(main())
