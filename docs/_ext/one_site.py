# SPDX-License-Identifier: Apache-2.0
"""Some pages stand where a forge shows them, and not in docs/. In the site they are
pages like the others; who points to the README comes to the first page."""

import os
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]

ELSEWHERE = {"contributing": "../CONTRIBUTING.md", "tests": "../tests/README.md"}
"""Where the text of a page is, as docs/ sees it."""

_PAGES = {path: f"{name}.md" for name, path in ELSEWHERE.items()} | {
    "../README.md": "index.md"
}
_RELATIVE = re.compile(r"\]\((?!#|\w+:)([^)#]+)")


def _source(app: Sphinx, docname: str, source: list[str]) -> None:
    path = ELSEWHERE.get(docname, "")
    folder = os.path.dirname(path)
    if path:
        source[0] = (DOCS / path).read_text(encoding="utf-8")
        app.env.note_dependency(str(DOCS / path))

    def moved(link: re.Match[str]) -> str:
        target = os.path.normpath(os.path.join(folder, link[1]))
        return f"]({_PAGES.get(target, target)}"

    if Path(app.env.doc2path(docname)).suffix == ".md" and "/" not in docname:
        source[0] = _RELATIVE.sub(moved, source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", _source)
    return {"parallel_read_safe": True}
