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
    home = Move("node2@1", "uuid-2", "db", "spare1", MoveState.WAITING, 2.0, "node2")
    full = home.because(Reason.HOME_FULL, "disabled")
    assert site.journal.acquire()
    site.journal.commit(Change(windows=(window,), moves=(leaving, full)))
    shown = site.json("status")
    (maintenance,) = shown["maintenances"]
    assert (maintenance["host"], maintenance["by"]) == ("node1", "ann")
    assert maintenance["progress"] == "1 moving"
    assert shown["going_home"] == [{"host": "node2", "progress": "1 waiting"}]
    table = site.run("status").out
    assert "new memory" in table
    assert "1 waiting" in table
