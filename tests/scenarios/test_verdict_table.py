# SPDX-License-Identifier: Apache-2.0
"""Each row of the verdict table is reached by the scenario that it names.

A row that none reaches is a missing test, or dead code.
"""

import pytest

from nova_ha_scheduler.evacuation.server import verdicts
from nova_ha_scheduler.evacuation.server.facts import Facts
from nova_ha_scheduler.evacuation.server.verdicts import TABLE, Verdict, VerdictRow
from tests.lib.simulation import scenario
from tests.scenarios.test_scenarios import CASES


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_scenario_reaches_it(
    row: VerdictRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, judge = set(), verdicts.judge

    def kept(facts: Facts) -> VerdictRow:
        found = judge(facts)
        reached.add(found.name)
        return found

    monkeypatch.setattr(verdicts, "judge", kept)
    (case,) = (path for path in CASES if path.name == row.scenario)
    scenario.run(case)
    assert row.name in reached


def test_each_row_and_verdict_is_one() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
    assert {row.verdict for row in TABLE} == set(Verdict)
