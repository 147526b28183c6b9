# SPDX-License-Identifier: Apache-2.0
"""A diagram in Mermaid's language is shown as its picture.

A forge draws Mermaid by itself. Sphinx does not, and a page here loads no program from
another site, so that the picture is a file: ``make pictures`` makes it of the text, and
a test holds that it is of that text. Its name stands in the diagram: ``%% NAME``.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

_NAME = re.compile(r"^\s*%% ([\w-]+): (.+)$", re.MULTILINE)


def _pictures(app: Sphinx, doctree: nodes.document) -> None:
    for block in list(doctree.findall(nodes.literal_block)):
        if block.get("language") == "mermaid":
            named = _NAME.search(block.astext())
            assert named, "a diagram has no name"
            picture = nodes.image(uri=f"pictures/{named[1]}.svg", alt=named[2])
            block.replace_self(picture)


def setup(app: Sphinx) -> dict[str, Any]:
    # Before Sphinx collects the images of a page.
    app.connect("doctree-read", _pictures, priority=100)
    return {"parallel_read_safe": True}
