# SPDX-License-Identifier: Apache-2.0
"""What may have been meant by a word that nobody knows."""

import difflib
from collections.abc import Iterable


def hint(word: str, known: Iterable[str]) -> str:
    """' (did you mean X?)', or ''."""
    found = difflib.get_close_matches(word, list(known), 1)
    return f" (did you mean {found[0]}?)" if found else ""
