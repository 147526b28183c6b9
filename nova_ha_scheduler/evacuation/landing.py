# SPDX-License-Identifier: Apache-2.0
"""Whether a server that has landed is as it was before."""

from nova_ha_scheduler.cluster.model import Server
from nova_ha_scheduler.evacuation.records import Effect, Reason, ServerRecovery

Lack = tuple[Reason, str, Effect | None]
"""What is not yet as it should be: the reason, its detail, and what puts it right."""


def lacks(record: ServerRecovery, server: Server) -> Lack | None:
    """What is wrong with a server that has landed, if anything."""
    if server.host == record.source:
        return Reason.STILL_ON_SOURCE, server.host, None
    if server.missing:
        return Reason.NOT_ATTACHED, "; ".join(server.missing), None
    if server.task_state is not None:
        return Reason.NOT_RUNNING, f"its task state is {server.task_state}", None
    if record.was_running and not (server.running and server.vm_state == "active"):
        # Nova's conductor died when all was done but the last word, say.
        broken = server.vm_state == "error"
        remedy = Effect.REBOOT if broken else Effect.START
        return Reason.NOT_RUNNING, f"it is {server.vm_state}", remedy
    if not record.was_running and server.running:
        return Reason.NOT_STOPPED, "", Effect.STOP
    return None
