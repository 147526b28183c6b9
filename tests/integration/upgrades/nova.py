# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.integration.upgrades.nova FOLDER``: a cloud in a process of its
own, of the Nova that is installed beside the Python which runs it.

It prints its endpoints. SIGUSR1 cuts the power of its first host, SIGTERM ends it. With
``again``, it goes on with what an earlier one has left in the folder.
"""

from tests.lib.cloud import Cloud  # isort: skip  (prepares the process for Nova)

import json
import os
import signal
import sys
import threading
from pathlib import Path

from nova.version import version_string

from tests.integration.crash.conftest import PLUGIN, RESERVE, ZONE
from tests.lib.cloud.config import Conf, merge

DIES = "node1"
HOSTS = [DIES, "node2", RESERVE]
REBUILD = 6.0
"""Seconds, for each server."""

_QUICK: Conf = {"DEFAULT": {"report_interval": 2, "service_down_time": 10}}


def main() -> None:
    folder, *more = sys.argv[1:]
    ended = threading.Event()
    cloud = Cloud(
        Path(folder),
        {"cell1": HOSTS},
        dict.fromkeys(HOSTS, ZONE),
        merge(PLUGIN, _QUICK),
        rebuild_seconds=REBUILD,
        again=more == ["again"],
    )
    signal.signal(signal.SIGUSR1, lambda *_: cloud.crash(DIES))
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with cloud:
        said = {"version": version_string(), "endpoints": cloud.endpoints}
        print(json.dumps(said), flush=True)
        ended.wait()
    os._exit(0)  # what was under way does not go on


if __name__ == "__main__":
    main()
