# SPDX-License-Identifier: Apache-2.0
"""``nova-ha-evacuator``: the service's process."""

import functools
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha_scheduler import exits
from nova_ha_scheduler.health.troubles import plainly
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.service import conf_file, startup
from nova_ha_scheduler.service.loop import Service
from nova_ha_scheduler.service.parts import Parts
from nova_ha_scheduler.service.systemd import Notifier

LOG = logging.getLogger(__name__)

PROG = "nova-ha-evacuator"

_DESCRIPTION = (
    "The evacuation trigger: the service that sees a protected compute host die, makes "
    "sure of it with its fence device, has Nova evacuate its servers, and keeps the "
    "history. It runs until SIGTERM or SIGINT, under systemd or by hand; SIGHUP has it "
    "read nova-ha.conf and the fencing file anew. People ask it and give it orders "
    "with nova-ha: see nova-ha --help."
)
_PAGES = "The pages: docs/install.md, docs/configure.md, docs/trigger.md."

_ORDERLY_SECONDS, _LAST_SECONDS = 7.0, 1.5
"""After SIGTERM: for an orderly end, and to leave the lease without one; or to tell
where a loop stands still."""


def main(arguments: Sequence[str] | None = None) -> int:
    """:returns: 0 after SIGTERM or SIGINT; 2 where the configuration is wrong, and 1
    if it could not be started for another reason."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what it asks for is just being done
    arguments = sys.argv[1:] if arguments is None else arguments
    logs = False
    try:
        epilog = f"{exits.of_program(PROG)} {_PAGES}"
        conf = startup.read(PROG, arguments, description=_DESCRIPTION, epilog=epilog)
        logs = _log(conf)
        conf_file.require_meant(conf, whole=True)
        parts = Parts(conf)
        parts.database.upgrade()
        anew = functools.partial(startup.load, PROG, arguments, for_logging=False)
        service = Service(parts, notifier=Notifier(), load=anew, stuck=_die)
    except (cfg.Error, JournalError) as error:
        print(f"{PROG}: {error}", file=sys.stderr)
        if logs:
            plainly(LOG.critical, "%s", error)
        return exits.WRONG if isinstance(error, cfg.Error) else exits.ERROR
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _end(service))
    signal.signal(signal.SIGHUP, lambda *_: service.reload())
    service.run()
    return 0


def _end(service: Service) -> None:
    """In an orderly way, and if that takes too long, without: a device or a service
    that does not answer keeps neither the loop nor this process."""
    service.stop()
    threading.Thread(target=_insist, args=(service,), daemon=True).start()


def _insist(service: Service) -> None:
    time.sleep(_ORDERLY_SECONDS)
    last = threading.Thread(target=service.abandon, daemon=True)
    last.start()
    last.join(_LAST_SECONDS)
    os._exit(exits.DONE)


def _die() -> None:
    """The loop stands still for good; whoever has started this starts it again.

    What hangs may be standard error, too.
    """
    last = threading.Thread(target=_tell_where, daemon=True)
    last.start()
    last.join(_LAST_SECONDS)
    os._exit(exits.ERROR)


def _tell_where() -> None:
    """Where each thread stands. faulthandler would keep all others from running until
    it is written."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    said = ""
    for ident, frame in sys._current_frames().items():
        said += f"Thread {names.get(ident, ident)}:\n"
        said += "".join(traceback.format_stack(frame))
    os.write(2, said.encode(errors="replace"))


def _log(conf: cfg.ConfigOpts) -> bool:
    """Begin to log. :returns: whether to something else than standard error.

    :raises cfg.Error: it cannot be logged as the options say.
    """
    try:
        logging.setup(conf, PROG)
    except (OSError, logging.LogConfigError) as error:
        place = getattr(error, "filename", None) or "log_config_append"
        why = getattr(error, "strerror", None) or error
        raise cfg.Error(
            f"[DEFAULT] the log cannot be written: {place}: {why}"
        ) from None
    elsewhere = (conf.log_file, conf.log_dir, conf.use_syslog, conf.use_journal)
    return any((*elsewhere, conf.log_config_append))


if __name__ == "__main__":
    sys.exit(main())
