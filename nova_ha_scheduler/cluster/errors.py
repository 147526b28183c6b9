# SPDX-License-Identifier: Apache-2.0
"""How a cloud does not answer as it should."""


class Refused(Exception):
    """A definite no: the effect did not happen; str() says why."""


class CloudUnreachable(Exception):
    """The picture could not be taken: str() says what was asked for, and the answer."""
