# SPDX-License-Identifier: Apache-2.0
"""When nothing more can leave a host."""

from nova_ha_scheduler.cluster.picture import Picture, Scope, Server
from nova_ha_scheduler.evacuation.maintenance import drain
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.records.maintenance_window import Window, WindowState
from nova_ha_scheduler.records.state import State

NOW = 100.0


def test_a_host_whose_moves_nobody_has_made_is_not_drained() -> None:
    """Its service could not be read when they were to be made."""
    window = Window(
        "m", "node1", "ann", "memory", WindowState.OPEN, 1.0, drain=True, drained_at=9.0
    )
    server = Server(uuid="u1", name="web", host="node1", vm_state="active")
    shown = Picture(NOW, Scope(leaving=frozenset({"node1"})), {}, {"u1": server})
    state = State(windows={window.id: window})
    step = Step(state, shown, (), frozenset(), NOW, Options())
    drain.conclude(step)
    change = step.change()
    assert change.events == ()
    assert step.windows["m"].drained_at is None
