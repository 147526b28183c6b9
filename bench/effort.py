# SPDX-License-Identifier: Apache-2.0
"""How much each part measures."""

from dataclasses import dataclass

LARGE = (
    "100 zones of 100 hosts of 72 vCPU, 576 GiB, 2 reserved each, 73 % full, "
    "servers of 1-4 vCPU, 4-28 GiB"
)


@dataclass(frozen=True)
class Effort:
    """
    :ivar hosts: of the cloud whose scheduler is timed, in 10 zones.
    :ivar rounds: how often each of the scheduler's settings has its turn.
    :ivar calls: of the scheduler in each turn; the first one warms up.
    :ivar recoveries: how often each way to recover a host has its turn.
    :ivar servers: of each host that dies.
    :ivar passes: the numbers of hosts that a filter is asked about.
    :ivar repeats: how often a filter is asked about each.
    :ivar planned: the cloud that is planned, as ``nova-ha plan --synthetic`` takes it.
    :ivar puzzles: how many small clouds the exact solver is asked about.
    :ivar starts: how often each command is started.
    :ivar cuts: how many hosts lose their power, one after the other.
    :ivar hangs: how many hang, on the stack.
    :ivar quick: whether heartbeats and looks come every few seconds then.
    :ivar turns: how often each way to ask for servers has its turn.
    :ivar stack: whether they are hosts of the full stack's tests.
    :ivar scraped: the numbers of hosts whose metrics are asked for.
    :ivar scrapes: how often they are.
    """

    hosts: int = 300
    rounds: int = 8
    calls: int = 6
    recoveries: int = 2
    servers: int = 30
    passes: tuple[int, ...] = (1000, 10000)
    repeats: int = 30
    planned: str = LARGE
    puzzles: int = 60
    starts: int = 10
    cuts: int = 20
    hangs: int = 20
    quick: bool = False
    turns: int = 5
    stack: bool = False
    scraped: tuple[int, ...] = (100, 10000)
    scrapes: int = 100


FULL = Effort()
SHORT = Effort(
    hosts=20,
    rounds=1,
    calls=2,
    recoveries=1,
    servers=2,
    passes=(100,),
    repeats=2,
    planned=LARGE.replace("100 zones of 100", "2 zones of 10"),
    puzzles=4,
    starts=1,
    cuts=1,
    quick=True,
    turns=1,
    scraped=(100,),
    scrapes=5,
)
"""Some seconds a part: whether the benchmark works, not what it measures."""
