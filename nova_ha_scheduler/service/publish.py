# SPDX-License-Identifier: Apache-2.0
"""Looks at the whole cloud, and publishes what admission goes by.

As a program, ``python -m nova_ha_scheduler.service.publish --config-file ...``, it
writes ``[ha_scheduler] admission_file``, and prints of when that is; with
``--capacity``, it prints how many failures each zone tolerates, and writes nothing. The
trigger runs it beside itself.
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
from nova_ha_scheduler.cluster.openstack.whole import Closeness
from nova_ha_scheduler.cluster.picture import Picture
from nova_ha_scheduler.cluster.snapshot import BadFile
from nova_ha_scheduler.planner import reserve
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.service import capacity_figures, parts, startup
from nova_ha_scheduler.service import conf as trigger_conf

CAPACITY = "--capacity"
"""The argument with which figures are printed."""

_NICE = 19
"""Whatever else the machine has to do comes first."""


def publish(path: Path, picture: Picture, preferences: Preferences) -> None:
    """:raises BadFile: it cannot be written; what was there is as it was."""
    found = reserve.zones(Ground(picture.hosts, preferences), picture.servers)
    published.write(path, picture.taken_at, found)


def main(arguments: Sequence[str] | None = None) -> int:
    """:returns: 1 if nothing was published; the last line says why."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    prints = CAPACITY in given
    try:
        conf = startup.load("nova-ha", [each for each in given if each != CAPACITY])
        options = trigger_conf.options(conf)
        cloud, clock = parts.cloud(conf), SystemClock()
        if prints:
            picture = whole.take(cloud, clock, Closeness.KINDS, options.policy)
            print(capacity_figures.dump(capacity_figures.of(picture, options)))
        else:
            picture = whole.take(cloud, clock)
            publish(Path(conf.ha_scheduler.admission_file), picture, options)
            print(picture.taken_at)
    except (cfg.Error, CloudUnreachable, BadFile) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.nice(_NICE)
    sys.exit(main())
