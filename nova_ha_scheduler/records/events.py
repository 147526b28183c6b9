# SPDX-License-Identifier: Apache-2.0
"""The lines of the history."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class EventKind(enum.Enum):
    """What history and notifications tell of."""

    HOST_NOTIFIED = "host.notified"
    """Nova's notification that the host was forced down; ``at``: when it was sent."""
    HOST_LATE = "host.late"
    """It has missed a heartbeat, and its fence device says off."""
    HOST_SUSPECTED = "host.suspected"
    HOST_CLEARED = "host.cleared"
    HOST_HELD = "host.held"
    """It does not go on, for a reason."""
    HOST_CONFIRMED = "host.confirmed"
    HOST_FENCING = "host.fencing"
    HOST_FENCED = "host.fenced"
    """Known to be dead; ``servers`` lists the affected ones."""
    HOST_EVACUATING = "host.evacuating"
    HOST_RECOVERED = "host.recovered"
    HOST_INCOMPLETE = "host.incomplete"
    HOST_RETURNING = "host.returning"
    HOST_RETURNED = "host.returned"
    SERVER_WAITING = "server.waiting"
    SERVER_ASKED = "server.asked"
    SERVER_MOVING = "server.moving"
    SERVER_SLOW = "server.slow"
    SERVER_STRANDED = "server.stranded"
    """Its destination died in the middle, or Nova lost the request."""
    SERVER_CONFUSED = "server.confused"
    """A destination that died has returned, and broke it by an old request."""
    SERVER_RESET = "server.reset"
    """The same; it is well, and its state is put right."""
    SERVER_LANDED = "server.landed"
    SERVER_RECOVERED = "server.recovered"
    SERVER_FAILED = "server.failed"
    SERVER_LEFT = "server.left"
    OTHER_ZONE = "server.other_zone"
    """Somebody else evacuates it to another storage zone: its disk is in danger."""
    MAINTENANCE_STARTING = "maintenance.starting"
    MAINTENANCE_OPEN = "maintenance.open"
    MAINTENANCE_DRAINED = "maintenance.drained"
    """Nothing more can leave the host now."""
    MAINTENANCE_ENDING = "maintenance.ending"
    MAINTENANCE_ENDED = "maintenance.ended"
    HOST_SEEN = "host.seen"
    """A protected host died under maintenance, and is left alone."""
    MOVE_WAITING = "move.waiting"
    MOVE_STOPPING = "move.stopping"
    """It cannot be moved while it runs; it is stopped for the move."""
    MOVE_STOPPED = "move.stopped"
    MOVE_ASKED = "move.asked"
    MOVE_MOVING = "move.moving"
    MOVE_SLOW = "move.slow"
    MOVE_FORCED = "move.forced"
    """Nova is asked to end a live migration that does not end by itself."""
    MOVE_CONFIRMING = "move.confirming"
    MOVE_STARTING = "move.starting"
    """It was stopped for the move, which is over."""
    MOVE_STARTED = "move.started"
    MOVE_NOT_STARTED = "move.not_started"
    """The same, but it does not start."""
    MOVE_MOVED = "move.moved"
    MOVE_FAILED = "move.failed"
    MOVE_LEFT = "move.left"
    FAILBACK_BEGUN = "failback.begun"
    FAILBACK_ENDED = "failback.ended"
    HOST_REBOOTED = "host.rebooted"
    """By itself; ``servers`` lists those that are off since."""
    SERVER_RESTARTED = "server.restarted"
    """After that."""
    HOST_LEFT_ALONE = "host.left_alone"
    """A protected host died while somebody had its service disabled."""
    GUARD_TRIPPED = "guard.tripped"
    GUARD_RESET = "guard.reset"
    BLIND = "detector.blind"
    SIGHTED = "detector.sighted"
    UNREADABLE = "cloud.unreadable"
    """Some objects that the cloud shows cannot be read; the reason names them."""
    READABLE = "cloud.readable"
    DEVICE_BROKEN = "fence_device.broken"
    DEVICE_WORKS = "fence_device.works"
    COMMAND_NOTED = "command.noted"
    """Somebody's word that a host is off is not used yet, for a reason."""
    METHOD_MISSING = "fencing_method.missing"
    """A protected host has no fencing method."""
    METHOD_FOUND = "fencing_method.found"
    """It has one now, or is not protected any more."""
    COMMAND_TAKEN = "command.taken"
    COMMAND_REFUSED = "command.refused"
    PAUSED = "pause.begun"
    RESUMED = "pause.ended"
    PAUSE_EXPIRED = "pause.expired"
    TRIGGER_ACTIVE = "trigger.active"
    """``how``: its name, with the machine's and the process's."""
    TRIGGER_REPLACED = "trigger.replaced"
    """The same, in the place of one that fell silent."""
    LOGGED_IN = "cloud.login"
    """``how``: as whom the cloud knows the trigger, for all that it does there."""
    CLOCK_JUMPED = "clock.jumped"


_K = EventKind

TROUBLES: Mapping[EventKind, tuple[EventKind, ...]] = {
    _K.HOST_HELD: (_K.HOST_CLEARED, _K.HOST_EVACUATING, _K.HOST_RETURNED),
    _K.HOST_INCOMPLETE: (_K.HOST_RECOVERED,),
    _K.HOST_LEFT_ALONE: (_K.HOST_SUSPECTED, _K.HOST_FENCED),
    _K.HOST_REBOOTED: (),
    _K.SERVER_FAILED: (_K.SERVER_RECOVERED,),
    _K.SERVER_CONFUSED: (_K.SERVER_RESET,),
    _K.OTHER_ZONE: (),
    _K.MOVE_NOT_STARTED: (_K.MOVE_STARTED,),
    _K.GUARD_TRIPPED: (_K.GUARD_RESET,),
    _K.BLIND: (_K.SIGHTED,),
    _K.UNREADABLE: (_K.READABLE,),
    _K.DEVICE_BROKEN: (_K.DEVICE_WORKS,),
    _K.METHOD_MISSING: (_K.METHOD_FOUND,),
    _K.COMMAND_REFUSED: (),
    _K.TRIGGER_REPLACED: (),
    _K.CLOCK_JUMPED: (),
}
"""What an operator should hear of, and what says afterwards that it is over."""


@dataclass(frozen=True)
class Event:
    """One line of history.

    :ivar recovery: HostRecovery.id, Window.id, or "".
    :ivar server: a UUID, for the events of a server.
    :ivar server_name: its name, for people.
    :ivar source, destination: from where to where.
    :ivar how: the effect's method, the evidence, or who commanded.
    :ivar reason: a whole sentence.
    :ivar servers: UUIDs, for HOST_FENCED.
    """

    kind: EventKind
    at: float
    host: str = ""
    recovery: str = ""
    server: str = ""
    server_name: str = ""
    source: str = ""
    destination: str = ""
    how: str = ""
    reason: str = ""
    request_id: str = ""
    servers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.words()

    def words(self, servers: str = "") -> str:
        """See :func:`in_words`."""
        return in_words({**vars(self), "kind": self.kind.value}, servers)


def in_words(told: Mapping[str, Any], servers: str = "") -> str:
    """What happened: 'server.asked web1 (compute-1 -> spare-1) req-5: why'.

    :param told: by the names of an event's fields; its kind's value. What is empty may
        be missing.
    :param servers: the names of those that it lists.
    """
    source, destination = told.get("source"), told.get("destination")
    way = f"({source} -> {destination})" if destination else f"({source})"
    parts = (
        told["kind"],
        told.get("server_name") or told.get("host"),
        way if source else "",
        told.get("request_id"),
        f"[{servers}]" if servers else "",
    )
    what = " ".join(filter(None, parts))
    return ": ".join(filter(None, (what, told.get("how"), told.get("reason"))))
