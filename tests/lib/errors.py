# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with clouds and programs that tests start. Imports nothing."""


class CloudError(Exception):
    """The cloud could not be brought up, or did not do what was waited for."""


class ProgramError(CloudError):
    """A program did not do what it is there for; the text shows the end of its log."""
