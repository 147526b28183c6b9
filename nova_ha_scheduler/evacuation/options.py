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
    :ivar max_hosts: how many hosts may die in a window; the shares are in percent,
        rounded down, and always allow one host.
    :ivar attempts: how many times Nova is asked for one server.
    :ivar retry_interval: between two of them.
    :ivar planned_destinations: ask Nova for the planned host by name; else the
        scheduler chooses.
    :ivar settle: how long a request whose answer was lost may still take effect.
    :ivar task_state_grace: how long a task state may still clear up by itself.
    :ivar check_time: how long a landed server has until it is as it should be.
    :ivar slow_after: when an evacuation that is under way is called slow.
    :ivar idle_interval: between two looks at the servers of an incomplete host, or at
        those that cannot leave a host under maintenance.
    :ivar maintenance_max_in_flight: how many servers that are well may be on their way,
        off hosts under maintenance and home.
    :ivar maintenance_attempts: how many times Nova is asked for one of them.
    :ivar return_enable: enable the service of a host that has returned.
    :ivar return_failback: let the servers go home then, where nothing else is said.
    :ivar return_within: how long one that cannot go home waits for that.
    """

    down_time: float = 60.0
    clock_skew: float = 15.0
    witnesses: bool = False
    witness_interval: float = 15.0
    fence_interval: float = 30.0
    look_interval: float = 15.0
    proof_age: float = 30.0
    device_check_interval: float = 3600.0
    max_hosts: int = 3
    max_zone_percent: int = 50
    max_cloud_percent: int = 20
    guard_window: float = 3600.0
    guard_cooldown: float = 3600.0
    attempts: int = 3
    retry_interval: float = 30.0
    planned_destinations: bool = True
    settle: float = 30.0
    task_state_grace: float = 60.0
    check_time: float = 180.0
    slow_after: float = 900.0
    idle_interval: float = 60.0
    maintenance_max_in_flight: int = 4
    maintenance_attempts: int = 3
    return_enable: bool = True
    return_failback: bool = False
    return_within: float = 86400.0
