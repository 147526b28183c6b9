# SPDX-License-Identifier: Apache-2.0
"""May this server go to that host in this operation, and if not, why?

Pure Python: no Nova, no HTTP, no clock. The scheduler's filters, its Placement
pre-filter and everything else that plans moves are thin adapters to this package,
so that a plan says what the scheduler will do.

One module a rule; each is a :class:`~nova_ha_scheduler.rules.terms.Rule`, but for
admission, which goes by what is on a host, and not by its tags alone.
"""

from nova_ha_scheduler.rules import admission as admission
from nova_ha_scheduler.rules import failover_host as failover_host
from nova_ha_scheduler.rules import ha_flavor as ha_flavor
from nova_ha_scheduler.rules import maintenance as maintenance
from nova_ha_scheduler.rules import storage_zone as storage_zone
