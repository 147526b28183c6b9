# SPDX-License-Identifier: Apache-2.0
"""How Nova says that an evacuation has failed."""

BY_COMPUTE = "failed"
"""The status that nova-compute gives a record."""

BY_CONDUCTOR = "error"
"""The same by a conductor, which finds no host for the server: nobody works on it."""

NO_HOST = "No valid host was found"
"""From nova.exception.NoValidHost."""

HAS_IT = "already exists"
"""From nova.exception.InstanceExists, which nova-compute raises where its hypervisor
has the guest that it is to make."""

UNHEARD = (
    "MessagingTimeout",
    "MessageDeliveryFailure",
    "DBConnectionError",
    "DBError",
    "UnexpectedTaskStateError",
    "Conflict updating instance",
)
"""By what nova-compute fails where Nova's own services did not answer it: exceptions of
oslo.messaging and oslo.db; and what Nova answers when the state that a server had was
reset under its hands."""

_NEVER = "not supported"
"""What Nova says of a server with shares, a vTPM, or a port with an accelerator
(nova.exception.NotSupported): it will say so again."""

_KEYS = ("KeyManagerError", "ManagedObjectNotFoundError")
"""By what nova-compute fails that does not get the key of an encrypted volume:
exceptions of castellan, of which Nova's instance actions have the name alone."""


_UNBOUND = "binding_failed"
"""Of what nova-compute calls a port that neutron has not bound (vif_type)."""


_COMMAND = "ProcessExecutionError"
"""Of a command that nova-compute runs, such as mount (oslo.concurrency)."""


def is_for_ever(refusal: str) -> bool:
    """Whether Nova evacuates no such server."""
    return _NEVER in refusal


def with_remedy(why: str) -> str:
    """Why an evacuation has failed, and what to do, where that is known."""
    if _UNBOUND in why:
        return (
            f"{why} (neutron cannot bind a port of it at that host: see whether the "
            "agent there is alive, and its network there; openstack network agent list)"
        )
    if _COMMAND in why:
        return (
            f"{why} (a command failed there, such as the mount of a volume's export: "
            "see nova-compute's log)"
        )
    if not any(name in why for name in _KEYS):
        return why
    return (
        f"{why} (it has an encrypted volume whose key the trigger's user may not read: "
        "openstack acl user add --user USER --operation-type read, of its secret)"
    )
