# SPDX-License-Identifier: Apache-2.0
"""docs/health.md has every problem, with its exit code, its words and what to do."""

import re
from pathlib import Path

from nova_ha_scheduler.health.problems import Kind

PAGE = Path(__file__).parents[3] / "docs" / "health.md"


def row(kind: Kind) -> str:
    """As it has to stand there; what is filled in is "…", a host is HOST."""
    texts = (kind.value.what, kind.value.todo)
    what, todo = (text.format("…", "…", host="HOST") for text in texts)
    return f"| `{kind.word}` | {int(kind.code)} | {what} | {todo} |"


def test_the_page_has_all_problems_and_no_others() -> None:
    found = re.findall(r"^\| `.*\|$", PAGE.read_text(), re.MULTILINE)
    assert found == [row(kind) for kind in Kind], "\n".join(map(row, Kind))
