# SPDX-License-Identifier: Apache-2.0
"""What the operator's options say to the engine. All times are in seconds."""

from dataclasses import dataclass

from nova_ha_scheduler.planner.preferences import Preferences


@dataclass(frozen=True)
class Options(Preferences):
    """Beside those of the planner:

    :ivar down_time: how old the last heartbeat of a service that Nova calls down
        must be; at least four times Nova's report_interval. The clocks of this host
        and of Nova's must agree, as Nova's own must.
    :ivar off_time: for how long the fence device of a host that has missed a heartbeat
        has to say off, until the host is held for dead; 0: only down_time counts.
    :ivar suspect_by_witnesses: suspect a host that has missed two heartbeats, and that
        every witness calls dead.
    :ivar clock_skew: by how much they may differ at most.
    :ivar witnesses: whether there are any, who are asked anew after a power-off.
    :ivar witness_interval: between two questions to witnesses that do not agree.
    :ivar fence_interval: between two attempts on a device that does not answer.
    :ivar look_interval: between two looks whether a host that was off still is; its
        servers wait meanwhile.
    :ivar proof_age: after how long an observed power-off is observed again, before
        another server is asked for.
    :ivar device_check_interval: between two checks of a fence device in quiet times;
        0: none.
    :ivar reboot_looks: in each so many looks, it is the turn of a host that had none
        yet to show whether it has rebooted by itself; 0: only after its heartbeats
        paused, or came out of step.
    :ivar max_hosts: how many hosts may die in a window; the shares are in percent,
        rounded down, and always allow one host.
    :ivar attempts: how many times Nova is asked for one server.
    :ivar retry_interval: between two of them.
    :ivar planned_destinations: ask Nova for the planned host by name; else the
        scheduler chooses, where it may.
    :ivar unnamed_requests: whether Nova's scheduler may choose the host at all.
    :ivar settle: how long a request whose answer was lost may still take effect.
    :ivar task_state_grace: how long a task state may still clear up by itself.
    :ivar check_time: how long a landed server has until it is as it should be.
    :ivar stalled_after: how long Nova shows no change of what is under way until it
        does not count for max_in_flight any more.
    :ivar slow_after: when an evacuation that is under way is called slow.
    :ivar idle_interval: between two looks at the servers of an incomplete host, or at
        those that cannot leave a host under maintenance.
    :ivar maintenance_max_in_flight: how many servers that are well may be on their way,
        off hosts under maintenance and home.
    :ivar maintenance_attempts: how many times Nova is asked for one of them.
    :ivar maintenance_force_complete_after: how long the memory of one may be copied
        until Nova is asked to end that by force; 0: for ever.
    :ivar maintenance_stop_to_move: stop a server of a host that is drained, if it
        cannot be moved while it runs, and start it when it has moved.
    :ivar return_enable: enable the service of a host that has returned.
    :ivar return_restart: start the servers of a host that has rebooted by itself.
    :ivar return_failback: let the servers go home then, where nothing else is said.
    :ivar return_flapping_within: a host that dies a second time within so long stays
        disabled when it returns, and nothing goes home to it; 0: no host does.
    :ivar return_within: how long one that cannot go home waits for that.
    """

    down_time: float = 60.0
    off_time: float = 5.0
    suspect_by_witnesses: bool = False
    clock_skew: float = 15.0
    witnesses: bool = False
    witness_interval: float = 15.0
    fence_interval: float = 30.0
    look_interval: float = 15.0
    proof_age: float = 30.0
    device_check_interval: float = 3600.0
    reboot_looks: int = 3
    max_hosts: int = 3
    max_zone_percent: int = 50
    max_cloud_percent: int = 20
    guard_window: float = 3600.0
    guard_cooldown: float = 3600.0
    attempts: int = 3
    retry_interval: float = 30.0
    planned_destinations: bool = True
    unnamed_requests: bool = False
    settle: float = 30.0
    task_state_grace: float = 60.0
    check_time: float = 180.0
    stalled_after: float = 120.0
    slow_after: float = 900.0
    idle_interval: float = 60.0
    maintenance_max_in_flight: int = 4
    maintenance_attempts: int = 3
    maintenance_force_complete_after: float = 0.0
    maintenance_stop_to_move: bool = False
    return_enable: bool = True
    return_restart: bool = False
    return_failback: bool = False
    return_flapping_within: float = 86400.0
    return_within: float = 86400.0

    @property
    def remembered(self) -> float:
        """For how long a death counts for what is decided later."""
        return max(self.guard_window, self.return_flapping_within)
