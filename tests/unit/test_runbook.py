# SPDX-License-Identifier: Apache-2.0
"""The page for operators says what the trigger says."""

import re
from pathlib import Path

from nova_ha_scheduler.cluster.openstack import renewal
from nova_ha_scheduler.evacuation.detection import other_zone
from nova_ha_scheduler.fencing.identity import ANOTHER, SHARED
from nova_ha_scheduler.health.troubles import Trouble
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.service.leader import leadership
from nova_ha_scheduler.service.notifications import bus

PAGE = Path(__file__).parents[2] / "docs" / "runbook.md"


def said() -> list[str]:
    """The first column of its tables, where that is a sentence."""
    rows = re.findall(r"^\| `([^`]+ [^`]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert len(rows) > 25
    return rows


def sentences() -> list[str]:
    """All that the trigger can say; what it fills in is "…"."""
    modules = (leadership, bus, renewal)
    source = "".join(Path(str(module.__file__)).read_text() for module in modules)
    logged = re.sub("%[ds]", "…", "".join(re.findall(r'"([^"\n]*)"\n?', source)))
    troubles = [f"{trouble.value[0]}: …" for trouble in Trouble]
    filled_in = (SHARED, ANOTHER, other_zone.WORDS)
    others = (re.sub(r"{\w+}", "…", text) for text in filled_in)
    return [*(reason.sentence("…") for reason in Reason), *troubles, *others, logged]


def test_what_the_page_quotes_is_said() -> None:
    known = sentences()
    for quoted in said():
        words = quoted.removesuffix("…").rstrip(": ")
        assert any(words in sentence for sentence in known), quoted


def test_the_page_has_all_troubles_and_their_ends() -> None:
    page = PAGE.read_text()
    for trouble in Trouble:
        what, _, over = trouble.value
        assert f"`{what}: …`" in page
        assert f"`{over}`" in page


def test_the_page_has_what_holds_up_a_host() -> None:
    page = PAGE.read_text()
    for reason in (
        Reason.BLIND,
        Reason.BY_HAND,
        Reason.CLOCKS,
        Reason.CLOCK_JUMPED,
        Reason.DEVICE_BROKEN,
        Reason.LOCK_HOLDER_SILENT,
        Reason.NO_METHOD,
        Reason.PROOF_STALE,
        Reason.SEEN_ALIVE,
        Reason.STORM,
        Reason.SWITCHED_ON,
        Reason.TRIGGER_SILENT,
        Reason.UNFENCED,
        Reason.WITNESSES,
    ):
        begins = re.split(r"[:.] | \(", reason.sentence("…"))[0]
        assert f"`{begins}" in page, reason
