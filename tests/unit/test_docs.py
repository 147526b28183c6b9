# SPDX-License-Identifier: Apache-2.0
"""What the pages in docs/ say that nova-ha prints is what it prints.

In a block that begins with ```console, each line ``$ nova-ha ...`` that reads an
example (docs/examples/) or makes up a cloud (--synthetic) is run; what follows it,
until the next ``$`` or the end of the block, has to be what it prints, errors too. A
last line ``# exit code N`` says with which code it ends, if not with 0. The commands of
a page share a directory, from which docs/ is seen.

With RECORD=1 in the environment the pages are written instead of compared. Read what
was written before you keep it.
"""

import os
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib import drawn
from tests.unit import commandline

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("**/*.md"))

_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
_READS = re.compile(r"docs/examples/|--synthetic")


def _commands(block: str) -> Iterator[tuple[str, str]]:
    """Each line with a command, and what follows it."""
    for part in re.split(r"^(?=\$ )", block, flags=re.MULTILINE):
        line, _, output = part.partition("\n")
        if part:
            yield line, output


def _run(line: str, conf: Path) -> str:
    program, *arguments = shlex.split(line.removeprefix("$ "))
    assert program == "nova-ha"
    answer = commandline.run(f"--config-file={conf}", *arguments)
    last = f"# exit code {answer.code}\n" if answer.code else ""
    return answer.all + last


@pytest.fixture
def utc() -> Iterator[None]:
    """What people see as local time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").symlink_to(DOCS)
    monkeypatch.chdir(tmp_path)
    conf = tmp_path / "nova-ha.conf"
    conf.touch()

    def played(block: re.Match[str]) -> str:
        found = []
        for line, output in _commands(block[0]):
            if line.startswith("$ nova-ha") and _READS.search(line):
                output = _run(line, conf)
            found.append(f"{line}\n{output}")
        return "".join(found)

    text = page.read_text()
    shown = _BLOCK.sub(played, text)
    if os.environ.get("RECORD"):
        page.write_text(shown)
    assert shown == text


def test_the_pages_have_examples() -> None:
    text = "".join(page.read_text() for page in PAGES)
    lines = [line for block in _BLOCK.findall(text) for line, _ in _commands(block)]
    assert sum(bool(_READS.search(line)) for line in lines) >= 8


def test_programs_are_where_the_installation_puts_them() -> None:
    """install.md links them into /usr/local/bin."""
    assert "/usr/local/bin/\n" in (DOCS / "install.md").read_text()
    for page in PAGES:
        assert "/usr/bin/nova-ha" not in page.read_text(), page


ROOT = DOCS.parent
READ = sorted([*ROOT.glob("*.md"), *PAGES, ROOT / "tests" / "README.md"])
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(((?!\w+:)[^)#\s]*)#([^)\s]+)\)")


def _anchors(page: Path) -> set[str]:
    """As forges and the site (make docs) make them of the headings."""
    found: list[str] = []
    for heading in _HEADING.findall(_FENCED.sub("", page.read_text())):
        text = re.sub(r"\]\([^)]*\)", "", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        again = sum(one == slug for one in found)
        found.append(f"{slug}-{again}" if again else slug)
    return {*found}


@pytest.mark.parametrize("page", READ, ids=lambda page: page.stem)
def test_anchors_are_there(page: Path) -> None:
    text = _FENCED.sub("", page.read_text())
    links = [
        (page.parent / path if path else page, a) for path, a in _LINK.findall(text)
    ]
    broken = {
        f"{path.name}#{anchor}"
        for path, anchor in links
        if path.suffix == ".md" and anchor not in _anchors(path)
    }
    assert broken == set()


def test_the_lines_for_nova_conf_are_on_two_pages() -> None:
    readme = (ROOT / "README.md").read_text()
    (lines,) = re.findall(r"    \[filter_scheduler\]\n(?:    .*\n)+", readme)
    assert lines in (DOCS / "rules.md").read_text()


def test_each_picture_of_a_diagram_is_of_its_text() -> None:
    """``make diagrams`` draws those that are not."""
    for name, text in drawn.diagrams():
        assert drawn.drawn_of(name) == text, name


def test_the_first_page_leads_to_each() -> None:
    """Also beside the site, where nobody lists the pages."""
    index = (DOCS / "index.md").read_text()
    listed = {*re.findall(r"^([\w/-]+)$", index, re.MULTILINE)}
    there = {
        str(path.relative_to(DOCS).with_suffix(""))
        for pattern in ("*.md", "*.rst", "reference/*")
        for path in DOCS.glob(pattern)
    }
    assert listed == there - {"index"}


OTHER_WORDS = {
    "broker": "message bus",
    "evacuator": "trigger",
    "evacuation service": "trigger",
    "evacuation trigger": "trigger",
    "hypervisor host": "host",
    "fencing device": "fence device",
    "spare host": "reserve",
    "spare hosts": "reserve",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_one_word_for_one_thing(page: Path) -> None:
    """As docs/glossary.md has it; what stands in backticks is a name."""
    text = _FENCED.sub("", page.read_text())
    text = re.sub(r"`[^`]*`|^ {4}.*$|nova-ha-evacuator", "", text, flags=re.MULTILINE)
    text = " ".join(text.lower().split())
    found = {word for word in OTHER_WORDS if re.search(rf"\b{word}\b", text)}
    assert {word: OTHER_WORDS[word] for word in found} == {}
