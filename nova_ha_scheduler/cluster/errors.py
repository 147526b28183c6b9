# SPDX-License-Identifier: Apache-2.0
"""How a cloud does not answer as it should."""


class Refused(Exception):
    """A definite no: the effect did not happen; str() says why."""


class CloudUnreachable(Exception):
    """The picture could not be taken: str() says what was asked for, and the answer.

    :ivar status: of the answer, if there was one.
    """

    def __init__(self, words: str, status: int | None = None) -> None:
        super().__init__(words)
        self.status = status


class AnswerTooLarge(CloudUnreachable):
    """There is an answer, and it is larger than what is read of one."""
