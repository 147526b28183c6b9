# SPDX-License-Identifier: Apache-2.0
"""docs/reference has each event and each reason; the page of the reasons is made of the
code (RECORD=1 in the environment writes it anew).

Exit codes, problems, metrics and alerts have tests of their own. Options and commands
are read from the code when the pages are built; here is held that all of them are."""

import os
import re
from importlib import metadata
from pathlib import Path

from oslo_config import cfg, generator

from nova_ha_scheduler import reasons
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.events import TROUBLES, EventKind

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
RUNBOOK = ROOT / "docs" / "runbook.md"
REASONS = REFERENCE / "reasons.md"

_HEAD = """# Reasons

Every no has its reason, as a whole sentence: in the log, in the history and in the
output of commands. `…` stands for what a sentence names. [The runbook](../runbook.md)
says of those that it quotes what they mean and what to do; the others say it
themselves.
"""


def test_the_page_has_all_events_and_no_others() -> None:
    page = (REFERENCE / "events.md").read_text()
    rows = re.findall(r"^\| `([\w.]+)` \| (.+) \| (yes)? ?\|$", page, re.MULTILINE)
    assert [(kind, bool(trouble)) for kind, _, trouble in rows] == [
        (kind.value, kind in TROUBLES) for kind in EventKind
    ]


def _runbook() -> list[tuple[str, str]]:
    """Each heading's anchor, and what of a sentence is quoted below it; the longest
    first."""
    found, anchor = [], ""
    for line in RUNBOOK.read_text().splitlines():
        if line.startswith("#"):
            text = re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower())
            anchor = text.replace(" ", "-")
        elif quoted := re.match(r"\| `([^`]+ [^`]+)`", line):
            found.append((anchor, quoted[1].removesuffix("…")))
    return sorted(found, key=lambda one: -len(one[1]))


def _page() -> str:
    """The reasons in the order of the code, whose comments are the headings."""
    source = Path(str(reasons.__file__)).read_text()
    lines, quoted = [_HEAD], _runbook()
    for line in source.splitlines():
        if comment := re.match(r"    # (.+)\.$", line):
            lines.append(
                f"\n## {comment[1]}\n\n| reason | in the runbook |\n|---|---|\n"
            )
        elif (member := re.match(r"    ([A-Z_]+) = ", line)) and member[1] != "_":
            sentence = Reason[member[1]].sentence("…")
            where = next((a for a, words in quoted if words in sentence), "")
            link = (
                f"[there](../runbook.md#{where})" if where and sentence != "…" else ""
            )
            lines.append(f"| {sentence} | {link} |\n")
    return "".join(lines)


def test_the_page_has_all_reasons() -> None:
    page = _page()
    if os.environ.get("RECORD"):
        REASONS.write_text(page)
    assert REASONS.read_text() == page
    for reason in Reason:
        assert f"| {reason.sentence('…')} |" in page


def test_each_option_is_in_the_reference_with_its_help() -> None:
    """The pages show what the samples are made of; all of ours are in there."""
    shown: set[str] = set()
    for page in ("options-plugin", "options-trigger"):
        (file,) = re.findall(
            r":config-file: (\S+)", (REFERENCE / f"{page}.rst").read_text()
        )
        conf = cfg.ConfigOpts()
        generator.register_cli_opts(conf)
        conf(["--config-file", str(ROOT / file)])
        shown |= {*conf.namespace}
        if page == "options-plugin":
            assert conf.namespace == ["nova_ha_scheduler"]
    ours = {
        entry.name: entry
        for entry in metadata.entry_points(group="oslo.config.opts")
        if entry.value.startswith("nova_ha_scheduler")
    }
    assert shown >= set(ours)
    for entry in ours.values():
        for group, options in entry.load()():
            for option in options:
                assert option.help, f"{group}.{option.name}"


def test_each_command_is_in_the_reference() -> None:
    page = (REFERENCE / "commands.rst").read_text()
    assert re.findall(r"^\.\. autoprogram-cliff:: (\S+)$", page, re.MULTILINE) == [
        "nova_ha.cli"
    ]
