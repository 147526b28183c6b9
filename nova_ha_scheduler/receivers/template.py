# SPDX-License-Identifier: Apache-2.0
"""The JSON that a webhook wants.

The file is JSON itself, and what stands for something is filled in after it was read:
so whatever a server is called, JSON it stays. ``"$ids"`` alone in a string becomes the
list, and ``$$`` is a dollar.
"""

import json
import string
from collections.abc import Mapping
from typing import Any


def fill(text: str, values: Mapping[str, Any]) -> Any:
    """:raises ValueError: the template cannot be used; a sentence."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {error}") from None
    return _filled(found, values)


def _filled(item: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(item, str):
        return _words(item, values)
    if isinstance(item, list):
        return [_filled(each, values) for each in item]
    if isinstance(item, dict):
        return {key: _filled(each, values) for key, each in item.items()}
    return item


def _words(text: str, values: Mapping[str, Any]) -> Any:
    if text.startswith("$") and text[1:] in values:
        return values[text[1:]]
    try:
        return string.Template(text).substitute(values)
    except KeyError as error:
        known = ", ".join(f"${name}" for name in values)
        raise ValueError(f"there is no ${error.args[0]}; there are {known}") from None
    except ValueError:
        raise ValueError(f"a $ stands for nothing in {text!r}; $$ is one") from None
