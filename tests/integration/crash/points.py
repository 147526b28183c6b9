# SPDX-License-Identifier: Apache-2.0
"""Where in a recovery the trigger is killed: at each effect, before and after it,
and at the looks between them.

The force-down is not among them: here somebody else has done it before, which is how
the trigger learns of the death.
"""

from tests.integration.crash.accident import Point

_SERVICE = ("compute", "PUT", "")
_RESET = ("bmc", "POST", "/Actions/ComputerSystem.Reset")

POINTS = [
    Point(
        "host-seen-down", "compute", "GET", "/os-services", True, '"forced_down": true'
    ),
    Point("power-seen-on", "bmc", "GET", "", True, '"PowerState": "On"'),
    Point("power-off-lost", *_RESET, carried_out=False),
    Point("power-off-sent", *_RESET, carried_out=True),
    Point("power-seen-off", "bmc", "GET", "", True, '"PowerState": "Off"'),
    Point("disable-lost", *_SERVICE, carried_out=False, words="disabled_reason"),
    Point("disable-done", *_SERVICE, carried_out=True, words="disabled_reason"),
    Point("first-evacuation-lost", "compute", "POST", "/action", False, "evacuate"),
    Point("first-evacuation-asked", "compute", "POST", "/action", True, "evacuate"),
    Point("second-evacuation-lost", "compute", "POST", "/action", False, "evacuate", 2),
    Point("last-evacuation-asked", "compute", "POST", "/action", True, "evacuate", 3),
    Point(
        "records-looked-up", "compute", "GET", "/os-migrations", True, '"evacuation"'
    ),
    Point("ports-looked-up", "network", "GET", "/ports", False, "binding"),
    Point("landed-servers-checked", "network", "GET", "/ports", False, "device_id"),
]

BY_NAME = {point.name: point for point in POINTS}
