# SPDX-License-Identifier: Apache-2.0
"""Where a person wants servers to go, and why they do not."""

import pytest

from nova_ha_scheduler.cluster import text
from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.evacuation import dry_run
from nova_ha_scheduler.evacuation.options import Options

CLOUD = """
hosts:
  dead: {zone: nfs-a}
  good: {zone: nfs-a, room: 2}
  spare: {zone: nfs-a, reserved: true}
  far: {zone: nfs-b}
  plain: {ha: false, zone: nfs-a}
  mended: {zone: nfs-a, maintenance: true}
  closed: {zone: nfs-a, disabled: bad fan}
  down: {zone: nfs-a, down: true}
servers:
  web1..web3: {host: dead}
  vault: {host: dead, refused: it has a vTPM (2.0)}
  scratch: {host: dead, ha: false}
"""


def _why(where: str, *names: str) -> dict[str, str]:
    picture = text.load(CLOUD)
    chosen = {f"uuid-{name}": where for name in names}
    planned = dry_run.plan(picture, Options(), ["dead"], chosen)
    said = dry_run.why_not(planned, chosen)
    goes = {r.server: r.destination for r in planned if r.server in chosen}
    assert all(to == where for uuid, to in goes.items() if uuid not in said)
    return {uuid.removeprefix("uuid-"): words for uuid, words in said.items()}


@pytest.mark.parametrize("where", ["good", "spare"])
def test_it_goes_there(where: str) -> None:
    assert _why(where, "web1", "web2") == {}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("far", "far: in nfs-b"),
        ("plain", "plain: "),
        ("mended", "mended: under maintenance"),
        ("closed", "closed: disabled"),
        ("down", "down: down"),
        ("dead", "dead: in recovery"),
    ],
)
def test_the_rules_hold(where: str, words: str) -> None:
    said = _why(where, "web1")
    begins = "it may go to one host alone, and that host cannot take it now: "
    assert said["web1"].startswith(begins + words)


def test_it_has_to_fit() -> None:
    said = _why("good", "web1", "web2", "web3")
    assert list(said) == ["web3"]
    assert said["web3"].endswith("good: without enough VCPU")


def test_what_nova_refuses_and_what_is_not_to_be_recovered() -> None:
    said = _why("good", "vault", "scratch")
    assert said["vault"] == "Nova refuses: it has a vTPM (2.0)"
    assert said["scratch"] == "its flavor does not say ha=true"


def test_there_has_to_be_such_a_host() -> None:
    with pytest.raises(Refused, match="perhaps good"):
        _why("GOOD", "web1")
