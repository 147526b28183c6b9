# SPDX-License-Identifier: Apache-2.0
"""A night in which hosts lose their power, and the page that is served meanwhile.

As a program, ``python -m tests.lib.night FOLDER``, it has a real browser take the
pictures of the page that docs/monitoring.md shows (make pictures).
"""

import datetime
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nova_ha_scheduler.service.monitoring import page_data
from nova_ha_scheduler.service.monitoring.healthcheck import Answers
from nova_ha_scheduler.service.monitoring.pages import Pages, Texts
from nova_ha_scheduler.service.monitoring.server import WebPlace, WebServer
from tests.lib import ports
from tests.lib.browser import DESK, TELEPHONE, Browser, browser
from tests.lib.simulation.watched import Watched

_TIMES = frozenset(
    ["as_of", "at", "began", "capacity_as_of", "cloud_seen_at", "since", "until"],
)
"""What in status.json is a time."""

MARKUP, RIGHT_TO_LEFT = "<script>document.title='x'</script>", "שרת" * 66
"""What tenants may call their servers."""

CLUSTER: Mapping[str, Any] = {
    "hosts": {
        "compute-1..compute-7": {"zone": "nfs-a", "room": 12},
        "spare-1": {"zone": "nfs-a", "reserved": True, "room": 12},
        "compute-11..compute-13": {"zone": "nfs-b", "room": 8},
        "spare-2": {"zone": "nfs-b", "reserved": True, "room": 4},
    },
    "servers": {
        "db-1..db-9": {"host": "compute-1"},
        MARKUP: {"host": "compute-7"},
        RIGHT_TO_LEFT: {"host": "compute-7"},
        "shop-1..shop-6": {"host": "compute-11"},
        "shop-7..shop-12": {"host": "compute-12"},
        "shop-13..shop-18": {"host": "compute-13"},
    },
    "options": {"device_check_interval": 20, "max_in_flight": 2},
    "nova": {"rebuild": 6},
}

POWER_CUT = """
at 12 maintenance-start compute-5 alice 'new memory'
at 20 power off compute-1
at 22 device compute-7 unreachable
at 24 power off compute-7
at {end} end
"""

HEIGHT = 1280
"""Of the pictures, in pixels of CSS."""

DIED, IN_THE_MIDDLE, MORNING = 20, 108, 240
"""Seconds: of the first death, of its recovery, and of its end."""


class Night:
    """The simulation, its page, and a port.

    :ivar script: what happens.
    """

    def __init__(self, cluster: Mapping[str, Any] = CLUSTER) -> None:
        self.script = Watched(dict(cluster))
        self.script.until(5)
        self.script.work_out()
        night = datetime.datetime.now(datetime.UTC)
        night = night.replace(hour=3, minute=7, second=12, microsecond=0)
        self._began = night.timestamp()
        self._pages = Pages()
        place = WebPlace("127.0.0.1", ports.free_port())
        self.url = str(place)
        self._server = WebServer(place, self._pages)
        self._server.serve()
        self.tell()

    def play(self, end: int, story: str = POWER_CUT) -> None:
        """From the beginning of the story on, until then."""
        self.script.play(self.script.read(story.format(end=end)))
        self.tell()

    def go_on(self, seconds: float) -> None:
        """Nothing more happens but what follows from it."""
        self.script.until(self.script.simulation.passed + seconds)
        self.tell()

    def tell(self) -> None:
        """What the trigger's thread does twice a second."""
        found = self.script.facts
        assert found is not None
        judged = found.judgement
        self._pages.ready = Texts(
            Answers(judged.code, judged.line, found.alive),
            self.script.text.of(found, self.script.counts),
            json.dumps(self._shifted(page_data.of(found))).encode(),
        )

    def _shifted(self, value: Any, key: str = "") -> Any:
        """The simulation begins with the epoch; nights begin at three."""
        if isinstance(value, dict):
            return {name: self._shifted(found, name) for name, found in value.items()}
        if isinstance(value, list):
            return [self._shifted(found, key) for found in value]
        if key in _TIMES and value is not None:
            return value + self._began
        return value

    def close(self) -> None:
        self._server.stop()


def is_fresh(watched: Browser) -> None:
    """Wait until the page shows what is so."""
    watched.wait("!document.body.classList.contains('old') && document.title")


def main(folder: Path) -> None:
    """Take the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    night = Night()
    night.play(IN_THE_MIDDLE)
    with browser() as watched:
        for name, device, dark in (
            ("page-desk", DESK, False),
            ("page-telephone", TELEPHONE, True),
        ):
            watched.look(device, dark)
            watched.open(night.url)
            is_fresh(watched)
            night.tell()
            watched.picture(folder / f"{name}.png", HEIGHT)
    night.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
