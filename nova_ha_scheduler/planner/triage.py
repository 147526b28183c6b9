# SPDX-License-Identifier: Apache-2.0
"""Which servers of a dead host are to be recovered, and which of them comes first."""

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import HostFacts
from nova_ha_scheduler.rules.vocabulary import BadValue

EVACUABLE = ("active", "stopped", "error")
"""The vm_states in which Nova evacuates (nova.compute.api.API.evacuate)."""

Why = tuple[Reason, str]
"""A reason and its detail."""


def why_left(server: Server, facts: HostFacts, preferences: Preferences) -> Why | None:
    """Why a server is not to be evacuated, or Nova would refuse it for ever.

    :param facts: of the host that it is on.
    """
    if server.unreadable:
        return Reason.CANNOT_BE_READ, server.unreadable
    try:
        protected = vocabulary.boolean(server.extra_specs, vocabulary.HA)
        given = server.extra_specs, server.metadata
        policy = vocabulary.recovery_policy(*given, preferences.tenant_raises)
    except BadValue as error:
        return Reason.UNREADABLE, str(error)
    if not protected and not preferences.protect_all_servers:
        return Reason.NOT_PROTECTED, ""
    if policy == "none":
        return Reason.POLICY_NONE, ""
    if server.vm_state not in EVACUABLE:
        return Reason.VM_STATE, server.vm_state
    if server.refused_by_nova:
        return Reason.REFUSED_BY_NOVA, server.refused_by_nova
    if server.group and not server.group_apart and server.group_hosts == {server.host}:
        return Reason.BOUND_BY_GROUP, server.group
    zoneless = not facts.zones and not facts.bad_value(vocabulary.STORAGE_ZONE)
    if server.local_disk and zoneless and policy != "recreate":
        return Reason.LOCAL_DISK, ""
    return None


def priority(server: Server, preferences: Preferences) -> int:
    """Its priority; one that cannot be read is the lowest."""
    try:
        given = server.extra_specs, server.metadata
        return vocabulary.priority(*given, preferences.tenant_raises)
    except BadValue:
        return vocabulary.MIN_PRIORITY


def urgency(server: Server, preferences: Preferences) -> tuple[bool, int, str, str]:
    """The order of asking: what is marked as protected, by priority, by name."""
    try:
        marked = vocabulary.boolean(server.extra_specs, vocabulary.HA)
    except BadValue:
        marked = False
    return not marked, -priority(server, preferences), server.name, server.uuid
