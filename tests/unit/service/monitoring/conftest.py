# SPDX-License-Identifier: Apache-2.0
"""TriggerFacts of a small cloud."""

from dataclasses import replace

import pytest

from nova_ha_scheduler.health.judgement import JournalFacts as Known
from nova_ha_scheduler.health.judgement import judge
from nova_ha_scheduler.records.state import State
from nova_ha_scheduler.service.monitoring.trigger_facts import TriggerFacts
from tests.lib.simulation.watched import Watched

CLUSTER = {
    "hosts": {
        "node1..node4": {"zone": "nfs-a"},
        "spare": {"zone": "nfs-a", "reserved": True},
    },
    "servers": {"vm1..vm3": {"host": "node1"}},
}


def watched() -> Watched:
    """A trigger that has looked at a small cloud."""
    found = Watched(CLUSTER)
    found.until(10)
    return found


def with_state(facts: TriggerFacts, state: State) -> TriggerFacts:
    """The facts with another state, judged by it."""
    judged = judge(Known(state, facts.holder, facts.report), facts.now)
    return replace(facts, state=state, judgement=judged)


@pytest.fixture
def facts() -> TriggerFacts:
    found = watched().facts
    assert found is not None
    return found
