# SPDX-License-Identifier: Apache-2.0
"""The weigher, in Nova's own handler: what the filter would refuse comes last."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nova.scheduler import weights

from nova_ha_scheduler import weighers
from nova_ha_scheduler.operation import Scheduling, remember
from nova_ha_scheduler.rules.terms import Operation, Request
from tests.unit.admission.site import Site, facts, flavor, host, room, spare, spec

FULL = host("a-full", room(8, 8192))
GOOD = host("b-good", room(8, 8192), facts=facts(zone="nfs-b", ha="true"))
SPARE = spare(
    "b-spare", room(4, 4096), facts=facts(zone="nfs-b", ha="true", reserved="true")
)
Choose = Callable[..., list[tuple[str, float]]]


@pytest.fixture
def weigh(options: Callable[..., list[Any]], tmp_path: Path) -> Choose:
    """The hosts with their weights, as nova-scheduler orders them."""

    def ask(request: Any, publish: bool = True, **values: Any) -> Any:
        site = Site({h.name: h for h in (FULL, GOOD, SPARE)})
        if publish:
            site.publish(tmp_path / "admission.json", time.time())
        given = {"admission": "audit", "admission_weight_multiplier": 1000.0}
        # The rooms of the zones would count, too.
        options(**given | {"storage_zone_weight_multiplier": 0.0} | values)
        handler = weights.HostWeightHandler()
        names = ["nova_ha_scheduler.weighers.all_weighers"]
        found = [cls() for cls in handler.get_matching_classes(names)]
        states = [site.state(name) for name in ("a-full", "b-good")]
        weighed = handler.get_weighed_objects(found, states, request)
        return [(one.obj.host, one.weight) for one in weighed]

    return ask


def test_it_is_among_all_weighers() -> None:
    names = [weigher.__name__ for weigher in weighers.all_weighers()]
    assert "HAAdmissionWeigher" in names


def test_what_would_be_refused_comes_last(weigh: Choose) -> None:
    assert weigh(spec(flavor())) == [("b-good", 1000.0), ("a-full", 0.0)]


def test_it_counts_what_the_server_takes(weigh: Choose) -> None:
    """No reserve has room for it."""
    assert {weight for _, weight in weigh(spec(flavor(5)))} == {0.0}


@pytest.mark.parametrize(
    "values",
    [
        {"admission": "off"},
        {"admission": "enforce"},
        {"admission_weight_multiplier": 0.0},
        {"publish": False},
    ],
)
def test_otherwise_it_weighs_nothing(weigh: Choose, values: dict[str, Any]) -> None:
    assert {weight for _, weight in weigh(spec(flavor()), **values)} == {0.0}


def test_who_is_not_asked_about_is_weighed_alike(weigh: Choose) -> None:
    request = spec(flavor())
    found = Request(Operation.EVACUATE, request.instance_uuid, True, source="x")
    remember(request, Scheduling(found))
    for one in (request, spec(flavor(extra_specs={}))):
        assert len({weight for _, weight in weigh(one)}) == 1
