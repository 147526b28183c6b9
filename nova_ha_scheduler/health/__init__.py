# SPDX-License-Identifier: Apache-2.0
"""Whether the hosts are protected now, and what to do where they are not.

:mod:`.report` is what the active trigger says of itself, in the journal; :mod:`.writer`
writes it. :mod:`.judgement` is a pure judgement over that report, the journal's state
and its lease; :mod:`.problems` lists what can be out of order, :mod:`.file` is the
judgement as a file that everybody may read.
"""
