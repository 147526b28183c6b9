# SPDX-License-Identifier: Apache-2.0
"""What is done for a server of a dead host in each of Nova's task states.

Nova evacuates whatever the task state: nova.compute.api.API.evacuate is decorated with
``task_state=None``, which means any (read in 31 to 34). So it keeps nothing apart that
goes on, and what is to be waited for is for the trigger to know.

A task state tells what was asked of the server. The dead host may have that request in
its queue still, and takes it up when it returns, without a look whose the server is by
then (nova.compute.manager of 34). What such a request does then decides the row.

A server with an unfinished evacuation is followed before this table is asked.
"""

import enum
from dataclasses import dataclass

from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.old_request import QueuedRequest
from nova_ha_scheduler.records.server_recovery import ServerRecovery


class Done(enum.Enum):
    """What is done for a server."""

    AT_ONCE = "it is asked for at once"
    QUEUES = "it is left until a person says that its host's queues are empty"
    WAITS = "it is waited for, and left where that does not pass"


@dataclass(frozen=True)
class TaskState:
    """A row of the table.

    :ivar name: of nova.compute.task_states.
    :ivar because: why that is done; of what is not asked for at once, in the history.
    :ivar scenario: one with a server in this task state, below tests/scenarios.
    :ivar ends_running: whether it runs afterwards, whatever it did before; None: as
        before.
    :ivar queued: what is watched for when the host returns; None: it does no harm.
    """

    name: str
    done: Done
    because: str
    scenario: str
    ends_running: bool | None = None
    queued: QueuedRequest | None = None


_REBOOT = "a queued reboot expects this task state before it does anything"
_IMAGE = "nobody makes the image any more, and a queued request ends without one"
_STARTS = "if the host finds that request in its queue, it starts the server"
_REBUILD = "its owner rebuilds it, or Nova has yet to say what an evacuation came to"
_MOVES = "it may be at another host already"
_LEAVES = "its owner has it taken off its host"
_GOES = "its owner deletes it"
_BUILT = "it was never built"


def _rows(
    names: str, done: Done, because: str, scenario: str, **more: bool | QueuedRequest
) -> list[TaskState]:
    each = names.split()
    return [TaskState(n, done, because, scenario, **more) for n in each]  # type: ignore[arg-type]


TABLE = {
    row.name: row
    for row in (
        *_rows(
            "rebooting reboot_pending reboot_started"
            " rebooting_hard reboot_pending_hard reboot_started_hard",
            Done.AT_ONCE,
            _REBOOT,
            "task-states-at-once",
            ends_running=True,
        ),
        *_rows(
            "image_snapshot image_snapshot_pending image_pending_upload"
            " image_uploading image_backup",
            Done.AT_ONCE,
            _IMAGE,
            "task-states-at-once",
        ),
        *_rows(
            "updating_password",
            Done.AT_ONCE,
            "a queued request expects this task state, as it finds no guest",
            "task-states-at-once",
        ),
        *_rows(
            "pausing",
            Done.AT_ONCE,
            "a queued pause finds no guest, and takes the task state away, by which an "
            "evacuation that still goes on fails: it may have begun to run",
            "queued-pause",
        ),
        *_rows(
            "suspending",
            Done.AT_ONCE,
            "a queued suspend finds no guest, and writes ERROR wherever it runs",
            "queued-suspend",
            queued=QueuedRequest.SUSPEND,
        ),
        *_rows(
            "powering-off",
            Done.AT_ONCE,
            "a queued stop finds no guest, and writes STOPPED wherever it runs",
            "queued-stop",
            ends_running=False,
            queued=QueuedRequest.STOP,
        ),
        *_rows(
            "powering-on rescuing unrescuing resuming restoring",
            Done.QUEUES,
            _STARTS,
            "queued-start",
            ends_running=True,
        ),
        *_rows(
            "rebuilding rebuild_block_device_mapping rebuild_spawning",
            Done.WAITS,
            _REBUILD,
            "task-states-wait",
        ),
        *_rows(
            "migrating resize_prep resize_migrating resize_migrated resize_finish"
            " resize_reverting resize_confirming",
            Done.WAITS,
            _MOVES,
            "task-states-wait",
        ),
        *_rows(
            "shelving shelving_image_pending_upload shelving_image_uploading"
            " shelving_offloading",
            Done.WAITS,
            _LEAVES,
            "task-states-wait",
        ),
        *_rows("deleting soft-deleting", Done.WAITS, _GOES, "task-states-wait"),
        *_rows(
            "scheduling block_device_mapping networking spawning unshelving",
            Done.WAITS,
            _BUILT,
            "task-states-wait",
        ),
        *_rows("unpausing", Done.WAITS, "it was paused", "task-states-wait"),
    )
}
"""By its name in Nova."""


def of(name: str) -> TaskState:
    """The row of a task state; what a newer Nova has is waited for."""
    unknown = "this version of the trigger does not know it"
    return TABLE.get(name) or TaskState(name, Done.WAITS, unknown, "")


def is_rebuild(name: str | None) -> bool:
    """Whether it is one that an evacuation has, too, from nova-api's answer on."""
    return name is not None and name.startswith("rebuild")


def may_be_asked(state: TaskState, host: HostRecovery, record: ServerRecovery) -> bool:
    """Whether a server may be asked for in a task state.

    :param host: the recovery of its host.
    """
    emptied = host.queues_emptied and record.queues_emptied
    return state.done is Done.AT_ONCE or (state.done is Done.QUEUES and emptied)
