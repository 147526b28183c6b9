# SPDX-License-Identifier: Apache-2.0
"""The diagrams of the pages, as pictures: Graphviz draws what a page has in Mermaid's
language (make pictures). Each picture holds its text, so that a test can compare them.

``python -m tests.lib.drawn`` draws those whose text has changed; ``--all``, each.
"""

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "pictures"

_BLOCK = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAME = re.compile(r"^ *%% ([\w-]+): \S", re.MULTILINE)
_STATES = re.compile(r"^ *(\[\*\]|\w+) --> (\[\*\]|\w+)(?:: (.+))?$")
_ARROW = re.compile(r"^ *(\w+) (-->|-\.->)(?:\|(.+?)\|)? (\w+)$")
_BOX = re.compile(r'^ *(\w+)\["(.+)"\]$')
_GROUP = re.compile(r'^ *subgraph (\w+)\["(.+)"\]$')

_LOOKS = """
graph [fontname="sans-serif" fontsize=12 ranksep=0.55 nodesep=0.35 bgcolor=white]
node [shape=box style="rounded,filled" fillcolor="#eef3f8" color="#44607c"
      fontname="sans-serif" fontsize=13 margin="0.14,0.07"]
edge [fontname="sans-serif" fontsize=10 color="#44607c" fontcolor="#222222"
      arrowsize=0.7]
"""


def diagrams() -> Iterator[tuple[str, str]]:
    """The name and the text of each."""
    for page in sorted(DOCS.glob("**/*.md")):
        for text in _BLOCK.findall(page.read_text()):
            named = _NAME.search(text)
            assert named, f"a diagram of {page} has no name"
            yield named[1], text


def drawn_of(name: str) -> str:
    """The text of which a picture was drawn; "" if there is none."""
    try:
        picture = (PICTURES / f"{name}.svg").read_text()
    except FileNotFoundError:
        return ""
    return html.unescape(picture.partition("<desc>")[2].partition("</desc>")[0])


def _quoted(text: str) -> str:
    return '"' + text.replace("<br>", r"\n").replace('"', "'") + '"'


def _dot(text: str) -> str:
    """In Graphviz' language. :raises ValueError: for a line that is not known."""
    kind, *lines = text.splitlines()
    lines = [line for line in lines if line.strip() and "%%" not in line]
    across = "rankdir=LR\n" if kind.endswith(" LR") else ""
    made = ["digraph {", across, _LOOKS]
    for line in lines:
        if found := _STATES.match(line) if kind == "stateDiagram-v2" else None:
            old, new, words = found.groups()
            for end, shown in ((old, "begin"), (new, "end")):
                if end == "[*]":
                    made.append(
                        f'{shown} [label="" shape=circle width=0.16 '
                        'fillcolor="#44607c"]'
                    )
            old, new = old.replace("[*]", "begin"), new.replace("[*]", "end")
            made.append(f"{old} -> {new} [label={_quoted(words or '')}]")
        elif found := _GROUP.match(line):
            made.append(
                f"subgraph cluster_{found[1]} {{ label={_quoted(found[2])} "
                'style=rounded color="#9aa9b8"'
            )
        elif line.strip() == "end":
            made.append("}")
        elif found := _BOX.match(line):
            made.append(f"{found[1]} [label={_quoted(found[2])}]")
        elif found := _ARROW.match(line):
            style = "dashed" if found[2] == "-.->" else "solid"
            label = _quoted(found[3] or "")
            made.append(f"{found[1]} -> {found[4]} [label={label} style={style}]")
        else:
            raise ValueError(f"not known in a diagram: {line!r}")
    return "\n".join([*made, "}"])


def draw(name: str, text: str) -> None:
    svg = subprocess.run(
        ["dot", "-Tsvg"], input=_dot(text), capture_output=True, text=True, check=True
    ).stdout
    # Who has made it, and with which version, is none of a picture's.
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    head, opening, rest = re.split(r"(<svg[^>]*>)", svg, maxsplit=1)
    described = f"{opening}\n<desc>{html.escape(text)}</desc>"
    (PICTURES / f"{name}.svg").write_text(head + described + rest)


if __name__ == "__main__":
    for a_name, a_text in diagrams():
        if "--all" in sys.argv or drawn_of(a_name) != a_text:
            draw(a_name, a_text)
            print(f"docs/pictures/{a_name}.svg")
