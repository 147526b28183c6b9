# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.integration.upgrades.keep``: the older trigger writes old.sql, a
journal in the middle of a recovery, beside a real Nova.

Host node1 has died. One of its servers has moved, the request for the next one was
lost, and the last one waits. A pause holds node2, and node3 is under maintenance.
"""

from tests.integration.crash.conftest import running  # isort: skip  (prepares for Nova)

import socket
import tempfile
from pathlib import Path

from tests.integration.crash.lives import CONF, Lives
from tests.integration.crash.points import BY_NAME
from tests.integration.upgrades import old

KEPT = Path(__file__).with_name("old.sql")

_ORDERS = (
    ("pause", "node2", "--by=ann", "--reason=cables"),
    ("maintenance", "start", "node3", "--by=ann", "--reason=a fan"),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        where = old.installed(folder / "old")
        with running(folder, ["node1", "node2", "node3"]) as site:
            conf = {**CONF, "evacuation": {**CONF["evacuation"], "max_in_flight": 1}}
            lives = Lives(site, "node1", folder)
            lives.trigger = old.trigger(where, folder / "trigger", site, conf)
            with lives.trigger.running():
                for order in _ORDERS:
                    lives.trigger.nova_ha(*order)
            lives.die_at(BY_NAME["second-evacuation-lost"])
            text = "\n".join(old.contents(lives.trigger))
    KEPT.write_text(text.replace(f"{socket.gethostname()}:", "host:") + "\n")


if __name__ == "__main__":
    main()
