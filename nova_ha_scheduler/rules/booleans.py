# SPDX-License-Identifier: Apache-2.0
"""Words for yes and no: those of oslo.utils, to which a test holds them.

oslo_utils.strutils is not imported for them: it makes hundreds of regular expressions
for other ends, which takes longer than most commands have.
"""

_TRUE = ("1", "t", "true", "on", "y", "yes")
_FALSE = ("0", "f", "false", "off", "n", "no")
_MEANING = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)


def read(said: object) -> bool | None:
    """None: it is neither. Letters' case and blanks around do not count."""
    return _MEANING.get(str(said).strip().lower())
