# SPDX-License-Identifier: Apache-2.0
"""Words that hosts are off, given through a directory: by who may give a word, and may
read neither nova-ha.conf nor the journal.

===========  ==================================================================
word         the file, its bounds, and how one is given; imports nothing heavy
pacemaker    nova-ha-pacemaker-alert, which gives one
taker        the trigger's part: into the journal, and the answer back
conf         where the directory is
===========  ==================================================================
"""
