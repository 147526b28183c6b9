# SPDX-License-Identifier: Apache-2.0
"""``nova-ha-evacuator``: the service's process."""

import functools
import signal
import sys
from collections.abc import Sequence

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha_scheduler import fencing
from nova_ha_scheduler.evacuation.parts import Parts
from nova_ha_scheduler.evacuation.service import Service
from nova_ha_scheduler.evacuation.startup import load
from nova_ha_scheduler.evacuation.systemd import Notifier
from nova_ha_scheduler.journal import JournalError

LOG = logging.getLogger(__name__)

PROG = "nova-ha-evacuator"


def main(arguments: Sequence[str] | None = None) -> int:
    """:returns: 0 after SIGTERM or SIGINT, 1 if it could not be started."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what it asks for is just being done
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        conf = load(PROG, arguments)
        logging.setup(conf, PROG)
        parts = Parts(conf)
        parts.database.upgrade()
        anew = functools.partial(load, PROG, arguments, for_logging=False)
        service = Service(parts, notifier=Notifier(), load=anew)
    except (cfg.Error, fencing.ConfigError, JournalError) as error:
        print(f"{PROG}: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop())
    signal.signal(signal.SIGHUP, lambda *_: service.reload())
    service.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
