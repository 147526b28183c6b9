# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha status`` says of planned work."""

from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.maintenance_window import Window, WindowState
from nova_ha_scheduler.records.move import Move, MoveState
from nova_ha_scheduler.records.state import Change
from tests.unit.cli.conftest import Site


def test_maintenances_and_the_way_home(site: Site) -> None:
    window = Window("node1@1/m", "node1", "ann", "new memory", WindowState.OPEN, 1.0)
    leaving = Move(window.id, "uuid-1", "web1", "node1", MoveState.MOVING, 2.0)
    stays = Move(window.id, "uuid-3", "web2", "node1", MoveState.WAITING, 2.0)
    stuck = stays.because(Reason.NO_ROOM)
    home = Move("node2@1", "uuid-2", "db", "spare1", MoveState.WAITING, 2.0, "node2")
    full = home.because(Reason.HOME_FULL, "disabled")
    assert site.journal.acquire()
    site.journal.commit(Change(windows=(window,), moves=(leaving, stuck, full)))
    shown = site.json("status")
    (maintenance,) = shown["maintenances"]
    assert (maintenance["host"], maintenance["by"]) == ("node1", "ann")
    assert maintenance["progress"] == "1 waiting: no room, 1 moving"
    waits = "1 waiting: home full"
    assert shown["going_home"] == [{"host": "node2", "progress": waits}]
    table = " ".join(site.run("status").out.replace("|", " ").split())
    assert "node1: open since" in table
    assert "; 1 waiting: no room, 1 moving; by ann: new memory" in table
    assert f"progress: {waits}" in table
