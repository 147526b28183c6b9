# SPDX-License-Identifier: Apache-2.0
"""Words that nobody knows, and what may have been meant by them."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping

from oslo_config import cfg


def hint(word: str, known: Iterable[str]) -> str:
    """' (did you mean X?)', or ''."""
    found = nearest(word, known)
    return f" (did you mean {found}?)" if found else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one; "": none is."""
    return next(iter(difflib.get_close_matches(word, list(known), 1)), "")


def strange_options(
    path: str, known: Mapping[str, Collection[str]] | cfg.ConfigOpts
) -> Iterator[str]:
    """Of each option that is none, a sentence with its file, its group and its name:
    oslo.config passes over them.

    :param known: names by group; other groups are another program's part of the file.
    :raises cfg.Error: the file cannot be read.
    """
    sections: dict[str, dict[str, list[str]]] = {}
    cfg.ConfigParser(path, sections).parse()
    for section, settings in sections.items():
        if section not in known:
            continue
        names = {name.replace("-", "_") for name in known[section]}
        for name in settings:
            if name.replace("-", "_") not in names:
                yield f"{path}: [{section}] has no option {name}{hint(name, names)}"
