# SPDX-License-Identifier: Apache-2.0
"""The evacuation trigger: from a dead host to recovered servers.

:mod:`.engine` is a step over a picture of the cloud, the journal and the time; it
waits for nothing. :mod:`.interfaces` says what surrounds it.

=====================  =============================================================
the step               engine, turn (its workbench), scope (what it has to see next)
a host's recovery      detect, guard, recovery, proof, closing, dispatch, servers,
                       landing, stranded, late
clocks that are set    jumps
by order of people     commands, pauses, holds, aborts, maintenance
servers that are well  drain, failback, moves; attempts: as for those of dead hosts
what is remembered     records, evidence, effects, orders, upkeep, decisions
which of them acts     leadership, lock (tooz), coordination; the journal's lease
beside the step        executor, devices, service, notify, publisher, world, troubles
how it is set up       conf, options, startup, parts, main; dry_run: the step, without
                       acting
=====================  =============================================================
"""

import warnings

# oslo.service and tooz import eventlet where that is installed, and it warns whoever
# does. Nothing of the trigger uses it.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
