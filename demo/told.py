# SPDX-License-Identifier: Apache-2.0
"""What people are told to type in the playground. Imports nothing of Nova."""

VICTIM = "b1"
DOWN_TIME = 15
"""Seconds without a heartbeat after which Nova calls a service down. Nova's default is
60; here nobody wants to wait so long for a host's death."""

TOLD = (
    ("Whether the hosts are protected, and what the trigger does:", "nova-ha health"),
    ("", "nova-ha status"),
    ("The hosts, and what keeps a recovery from doing its work:", "nova-ha host list"),
    ("", "nova-ha check"),
    ("The cloud itself:", "openstack server list --long -c Name -c Status -c Host"),
    (f"Let {VICTIM} freeze; nobody is told:", f"kill-host {VICTIM}"),
    (
        f"Watch it being recovered, in about {DOWN_TIME + 5} s:",
        f"nova-ha history events --host {VICTIM}",
    ),
    ("", "nova-ha history list"),
    (
        "When it is recovered, repair it and switch it on (sooner is too early: Nova "
        "keeps it shut until its nova-compute is started again). Those of its servers "
        "that were recovered go home:",
        f"revive-host {VICTIM}",
    ),
    ("End all of it, and delete its journal and its logs:", "end-demo"),
)
"""What for, and the command. The last one ends what the others need."""
