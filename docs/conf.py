# SPDX-License-Identifier: Apache-2.0
"""How Sphinx makes a site of these pages (make docs)."""

import configparser
import logging
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

_setup = configparser.ConfigParser()
_setup.read(HERE.parent / "setup.cfg", encoding="utf-8")

project = "nova-ha-scheduler"
copyright = "the nova-ha-scheduler developers"
version = release = _setup["metadata"]["version"]

extensions = [
    "openstackdocstheme",
    "myst_parser",
    "oslo_config.sphinxext",
    "cliff.sphinxext",
    "mermaid_pictures",
    "one_site",
    "reno.sphinxext",
]
exclude_patterns = ["examples", "_*"]
templates_path = ["_templates"]

# GitHub's anchors, on every heading that a page has.
myst_heading_anchors = 6
nitpicky = True
# The rhythm of headings is for people: a page may begin with a small one.
suppress_warnings = ["myst.header"]
if not (HERE.parent / ".git").exists():
    # reno reads the notes of each version from git.
    exclude_patterns.append("release-notes.rst")
    suppress_warnings.append("toc.excluded")
# Only the domain of pages and headings: one of the others knows no link of that kind.
myst_ref_domains = ["std"]
highlight_language = "none"

# What each command has from cliff stands at the head of the page.
autoprogram_cliff_ignored = [
    "--help",
    "--format",
    "--column",
    "--sort-column",
    "--sort-ascending",
    "--sort-descending",
    "--quote",
    "--noindent",
    "--max-width",
    "--fit-width",
    "--print-empty",
    "--prefix",
]

html_theme = "openstackdocs"
html_static_path = ["_static"]
openstackdocs_auto_name = False
openstackdocs_auto_version = False
openstackdocs_repo_name = ""
openstackdocs_pdf_link = False
# Nobody who reads the pages is counted, and nothing is asked of another site for that.
html_theme_options = {
    "analytics_tracking_code": "",
    "display_badge": False,
    "sidebar_mode": "toctree",
    "sidebar_search": True,
}


def _of_git(record: logging.LogRecord) -> bool:
    """The theme wants to know the commit, which a copy without .git does not have."""
    return "gitsha" not in record.getMessage()


logging.getLogger("sphinx.openstackdocstheme.ext").addFilter(_of_git)
