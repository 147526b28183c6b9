# SPDX-License-Identifier: Apache-2.0
"""What a scenario may say, and how it is told what is wrong with it."""

import typing

import pytest

from nova_ha_scheduler.cluster import text
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.simulation import cloud
from nova_ha_scheduler.simulation.machines import Nova
from nova_ha_scheduler.simulation.people import PeopleVerbs
from nova_ha_scheduler.simulation.runner import Simulation
from nova_ha_scheduler.simulation.script import PREFIX, Script, verbs
from nova_ha_scheduler.simulation.words import BadScenario, Call

CLOUD = """\
hosts:
  node1..node3: {zone: nfs-a}
servers:
  web1..web2: {host: node1}
"""


@pytest.fixture
def script() -> Script:
    options = Options(max_cloud_percent=100)
    world = cloud.world(text.load(CLOUD), options, Nova(), lambda words: None)
    lines: list[tuple[float, str]] = []
    made = Script(Simulation(world, options), lambda at, said: lines.append((at, said)))
    made.lines = lines  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "nothing happens in it"),
        ("# nothing", "nothing happens in it"),
        ("power off node1", "it is not: at SECONDS VERB WORD..."),
        ("at soon power off node1", "it is not: at SECONDS VERB WORD..."),
        ("at 10", "it is not: at SECONDS VERB WORD..."),
        ("on 10 power off node1", "it does not begin with: at SECONDS"),
        ("at nan power off node1", "the time is no number from 0 on"),
        ("at -1 power off node1", "the time is no number from 0 on"),
        ("at 10 pwoer off node1", "there is no pwoer (did you mean power?)"),
        ("at 10 power of node1", "of is none of on, off"),
        ("at 10 power off node4", "there is no host node4 (did you mean node"),
        ("at 10 power off", "it takes: power on|off HOST"),
        ("at 10 power off node1 now", "it takes: power on|off HOST"),
        ("at 10 delete web3", "there is no server web3 (did you mean web"),
        ("at 10 boot web1 node1", "there is a server web1 already"),
        ("at 10 room node1 much", "much is no whole number"),
        ("at 10 slow fence node1 long", "long is no number of seconds"),
        (
            "at 10 slow fencing node1 5",
            "fencing is none of testify, testify again, check power",
        ),
        ("at 10 break evacuation", "evacuation is none of force_down"),
        ("at 10 witness ping node1 dad", "dad is none of dead, alive, unknown"),
        ("at 10 power off 'node1", "No closing quotation"),
        ("at 10 kill\nat 5 start", "it is not in order of time"),
    ],
)
def test_bad_lines(script: Script, said: str, words: str) -> None:
    with pytest.raises(BadScenario) as raised:
        script.read(said)
    assert words in str(raised.value)
    if said.startswith("at"):
        assert str(raised.value).startswith(f"line {said.count(chr(10)) + 1}: ")
    assert script.simulation.passed == 0


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("at 1 resume 1 ann", "line 1: there is no pause 1 yet"),
        (
            "at 1 maintenance-start node1 ann disks drian",
            "line 1: drain or seconds, not drian",
        ),
        (
            "at 1 remove-service node1\nat 2 power off node1",
            "line 2: there is no node1 any more",
        ),
    ],
)
def test_what_only_shows_when_it_is_played(
    script: Script, said: str, words: str
) -> None:
    with pytest.raises(BadScenario, match=words):
        script.play(script.read(said))


def test_every_verb_says_what_it_takes_and_means() -> None:
    names = [name for name in dir(PeopleVerbs) if name.startswith(PREFIX)]
    assert len(verbs()) == len(names) > 40
    assert all(meaning for meaning in verbs().values())
    assert "device HOST works|unreachable|deaf|lies" in verbs()


def test_every_call_can_be_broken(script: Script) -> None:
    for call in typing.get_args(Call):
        script.read(f"at 10 break {call} 2")


def test_a_server_by_its_uuid_and_one_that_was_booted(script: Script) -> None:
    said = "at 1 boot late node1\nat 2 state uuid-web1 stopped\nat 3 delete late"
    script.play(script.read(said))
    assert set(script.world.servers) == {"uuid-web1", "uuid-web2"}
    assert script.world.servers["uuid-web1"].vm_state == "stopped"


def test_what_nova_refuses_is_told(script: Script) -> None:
    script.play(script.read("at 1 api down\nat 2 disable node1"))
    assert script.lines[-1][1].startswith("refused: ")  # type: ignore[attr-defined]


def test_names_of_several_servers(script: Script) -> None:
    script.names["another"] = "web1"
    with pytest.raises(BadScenario, match="several servers are named web1: another, "):
        script.read("at 1 delete web1")
