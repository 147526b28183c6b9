# SPDX-License-Identifier: Apache-2.0
"""Whether the hosts are protected now, and what to do where they are not.

=========  =========================================================================
report     what the active trigger says of itself, in the journal
judgement  whether it protects: pure, over that report, the journal's state, its lease
problems   what can be out of order, and what to do about it
troubles   what is out of order around the trigger, said once
file       the judgement as a file that everybody may read
=========  =========================================================================
"""
