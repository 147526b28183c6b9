# SPDX-License-Identifier: Apache-2.0
"""What tests of the launcher do to servers."""

from collections.abc import Callable
from typing import Any

from tests.lib.cloud import Cloud

Boot = Callable[..., str]
Crash = Callable[[str], None]


def act(cloud: Cloud, server: str, action: str, body: Any = None, **kw: str) -> None:
    answer = cloud.nova("POST", f"/servers/{server}/action", {action: body}, **kw)
    assert answer.ok, answer.text


def evacuate(cloud: Cloud, server: str, host: str | None = None) -> None:
    """Evacuate and wait for the migration record, which alone tells the truth."""
    source = cloud.host(server)
    act(cloud, server, "evacuate", {"host": host} if host else {})
    query = f"/os-migrations?instance_uuid={server}&source_compute={source}"

    def done() -> bool:
        migrations = cloud.nova("GET", query).json()["migrations"]
        assert "error" not in {migration["status"] for migration in migrations}
        return bool(migrations[0]["status"] == "done")

    cloud.wait(f"evacuation of {server}", done)
