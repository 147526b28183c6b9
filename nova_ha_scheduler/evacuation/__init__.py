# SPDX-License-Identifier: Apache-2.0
"""The evacuation trigger: from a dead host to recovered servers.

:mod:`.engine` is a step over a picture of the cloud, the journal and the time; it
waits for nothing. :mod:`.interfaces` says what surrounds it. What the journal keeps
stands in :mod:`nova_ha_scheduler.records`, the process in
:mod:`nova_ha_scheduler.service`.

=====================  =============================================================
engine, step           one step: its order, and its workbench
detection/             who looks dead, the guard, fence devices, clocks, what cannot be
                       read, and what the next picture has to show
host/                  a dead host's states, the proof, what Nova is told
server/                a server's states, the verdict table, the check after landing
dispatch               whom Nova is asked for now, and where they go
maintenance/           maintenances, drains, failback: moves of servers that are well
people/, stopping      orders of people; pauses and aborts
decisions, dry_run     a step that is kept; a step that acts on nothing
=====================  =============================================================
"""

import warnings

# oslo.service and tooz import eventlet where that is installed, and it warns whoever
# does. Nothing of the trigger uses it.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
