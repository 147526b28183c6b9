# SPDX-License-Identifier: Apache-2.0
"""Admitted means evacuable: whatever the filters admit, every combination of so many
dead hosts is planned by the trigger's planner, and nobody is left.
"""

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nova import objects

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.planner import repacking
from tests.unit.admission.site import (
    PET,
    Site,
    facts,
    flavor,
    host,
    offer,
    properties,
    resizing,
    room,
    spare,
    spec,
)

FAST = "CUSTOM_FAST"
GROUP = str(uuid.uuid4())
ONCE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def cloud(draw: random.Random, failures: int) -> Site:
    """One or two zones, with hosts and a reserve of different sizes."""
    hosts = []
    for zone in ("nfs-a", "nfs-b")[: draw.randint(1, 2)]:
        for n in range(draw.randint(2, 4)):
            size = room(draw.choice([8, 12]), draw.choice([8192, 16384]), 60)
            hosts.append(host(f"{zone}-{n}", size, facts=facts(zone=zone, ha="true")))
        for n in range(failures + draw.randint(0, 1)):
            size = room(draw.randint(4, 12), draw.choice([6144, 12288]), 40)
            tags = facts(zone=zone, ha="true", reserved="true")
            hosts.append(spare(f"{zone}-spare{n}", size, facts=tags))
    traits = [frozenset(), frozenset({FAST})]
    hosts = [replace(h, traits=draw.choice([traits[1], *traits])) for h in hosts]
    odd = draw.choice([None, "down", "disabled", "maintenance"])
    name, last = hosts[-1].name, hosts[-1]
    if odd == "maintenance":
        flags = last.facts.flags | {"ha:maintenance"}
        last = replace(last, facts=replace(last.facts, flags=flags))
    hosts[-1] = replace(last, up=odd != "down", disabled=odd == "disabled")
    assert hosts[-1].name == name
    return Site({h.name: h for h in hosts})


def ask(draw: random.Random) -> tuple[Any, Any, frozenset[str]]:
    """A flavor, a request for it, and what it requires of a host."""
    extra_specs = draw.choice([PET, PET, PET, PET | {"ha:recovery": "none"}, {}])
    size = draw.randint(1, 5), 1024 * draw.randint(1, 5), draw.randint(1, 12)
    required = draw.random() < 0.2
    wanted = extra_specs | ({f"trait:{FAST}": "required"} if required else {})
    of = flavor(*size, extra_specs=wanted, swap=draw.choice([0, 0, 2048]))
    request = spec(of, is_bfv=draw.random() < 0.3, image=properties())
    return of, request, frozenset({FAST} if required else ())


def record(of: Any, request: Any, on: str, traits: frozenset[str]) -> Server:
    """The server, as a picture of the cloud shows it."""
    disk = (0 if request.is_bfv else of.root_gb) + of.swap // 1024
    needs = room(of.vcpus, of.memory_mb, disk)
    number = request.instance_uuid
    return Server(
        number,
        number,
        on,
        extra_specs=of.extra_specs,
        needs={what: n for what, n in needs.items() if n},
        traits=traits,
    )


def play(draw: random.Random, site: Site, filters: list[Any], asked: int) -> int:
    """Ask for boots and resizes, and do what is passed; return how much was."""
    done = 0
    for _ in range(asked):
        of, request, traits = ask(draw)
        grouped = of.extra_specs.get("ha") and draw.random() < 0.15
        moving = None
        pets = [s for s in site.servers.values() if s.extra_specs == of.extra_specs]
        pets = [s for s in pets if s.group is None and s.extra_specs.get("ha")]
        if pets and draw.random() < 0.2:
            moving = draw.choice(pets)
            request.instance_uuid, grouped = moving.uuid, False
            resizing(request, moving, site.hosts[moving.host])
        if grouped:
            request.instance_group = objects.InstanceGroup(
                policy="anti-affinity", rules={}
            )
        needs = record(of, request, "", traits).needs
        fitting = [
            name
            for name in offer(filters, request, site.states())
            if all(site.free(name)[what] >= n for what, n in needs.items())
            and traits <= site.hosts[name].traits
            and site.hosts[name].up
            and not site.hosts[name].disabled
            and not (grouped and any(s.group for s in site.on(name)))
        ]
        if not fitting:
            continue
        there = draw.choice(fitting)
        server = record(of, request, there, traits)
        if grouped:
            server = replace(server, group=GROUP)
        site.put(server, of)
        done += 1
    members = {s.uuid: s.host for s in site.servers.values() if s.group}
    for number in members:
        others = frozenset(h for uid, h in members.items() if uid != number)
        one = site.servers[number]
        site.servers[number] = replace(one, group_hosts=others)
    return done


@pytest.mark.parametrize("failures", [1, 2, 3])
@settings(max_examples=40, deadline=None, suppress_health_check=ONCE)
@given(seed=st.integers(0, 2**32))
def test_whatever_is_admitted_can_be_evacuated(
    options: Callable[..., list[Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failures: int,
    seed: int,
) -> None:
    """It does not hang on the planner's luck in a search."""
    monkeypatch.setattr(repacking, "_EFFORT", 0)
    draw = random.Random(seed)
    site = cloud(draw, failures)
    site.publish(tmp_path / "admission.json", time.time())
    play(draw, site, options(admission_failures=failures), 30)
    assert site.losses(failures) == []


@pytest.mark.parametrize("admission", ["off", "audit", "enforce"])
def test_without_it_somebody_is_left(
    options: Callable[..., list[Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    admission: str,
) -> None:
    """The same, with the same seeds: it is admission that keeps the property, and it
    is not kept by admitting nobody."""
    monkeypatch.setattr(repacking, "_EFFORT", 1000)
    left = done = 0
    for seed in range(12):
        draw = random.Random(seed)
        site = cloud(draw, 1)
        site.publish(tmp_path / "admission.json", time.time())
        done += play(draw, site, options(admission=admission), 30)
        left += bool(site.losses(1))
    assert bool(left) == (admission != "enforce")
    assert done > 60
