# SPDX-License-Identifier: Apache-2.0
"""The keeper of decisions, tests/lib/decisions, sees what differs, and only that."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from nova_ha_scheduler.evacuation import engine
from nova_ha_scheduler.evacuation.detection import guard
from nova_ha_scheduler.evacuation.host import host_states
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.evidence import Evidence
from nova_ha_scheduler.records.host_recovery import HostState
from tests.lib.decisions import __main__ as program
from tests.lib.decisions.compare import Found, compare
from tests.lib.decisions.files import Writer
from tests.lib.decisions.keep import INDEX, keep
from tests.lib.decisions.lives import Life, scenarios
from tests.lib.decisions.renamed import RENAMED
from tests.lib.decisions.shapes import Member, Renames, Shape, adding

GROUP = "scenario dead-host"
FILE = "scenario-dead-host.jsonl.gz"


def _quiet(words: str) -> None:
    pass


def _keep(directory: Path) -> Path:
    keep(directory, [life for life in scenarios() if life.group == GROUP], _quiet)
    return directory


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _keep(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def kept(once: Path, tmp_path: Path) -> Path:
    """A copy, which a test may change."""
    for file in once.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def _rewrite(kept: Path, change: Callable[[str], str]) -> None:
    """As if the program had been another one when its decisions were kept."""
    text = gzip.decompress((kept / FILE).read_bytes()).decode()
    assert change(text) != text
    (kept / FILE).write_bytes(gzip.compress(change(text).encode()))


def _compare(kept: Path, renames: Renames = RENAMED) -> Found:
    return compare(kept, renames, _quiet)


def _index(kept: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((kept / INDEX).read_text())["files"][FILE]
    return found


def test_the_same_program_decides_the_same(kept: Path) -> None:
    found = _compare(kept)
    assert found.same
    assert found.compared == _index(kept)["kept"] > 20


def test_keeping_twice_gives_the_same_bytes(kept: Path, tmp_path: Path) -> None:
    again = _keep(tmp_path / "again")
    for name in (FILE, INDEX):
        assert (again / name).read_bytes() == (kept / name).read_bytes()


def test_what_is_kept_is_not_written_over(kept: Path) -> None:
    with pytest.raises(FileExistsError):
        _keep(kept)


def test_a_life_that_breaks_is_named(tmp_path: Path) -> None:
    """And what was kept until then does not count as whole."""
    life = Life("random, broken", "seed 7", lambda: {}["a bug"])
    with pytest.raises(KeyError) as caught:
        keep(tmp_path, [life], _quiet)
    assert caught.value.__notes__ == ["in random, broken, seed 7"]
    assert not (tmp_path / INDEX).exists()


def test_another_decision_is_seen(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "watch", lambda step: False)
    found = _compare(kept)
    assert not found.same
    assert 0 < found.differing < found.compared == _index(kept)["kept"]
    (first, *_) = found.kinds["Change.opened"]
    assert first.startswith(f"{GROUP}, step ")


def test_the_differing_field_is_named(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though as many records were written, and as many events told."""
    monkeypatch.setattr(Evidence, "__str__", lambda evidence: "dead, Jim")
    found = _compare(kept)
    assert set(found.kinds) == {"Event.how", "Intent.text"}
    assert found.kinds["Event.how"][0].endswith("-> dead, Jim")
    assert 0 < found.differing < found.compared


def test_a_step_that_had_decided_nothing(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quiet steps of scenarios are kept, too."""
    decide = engine.decide

    def restless(step: engine.Step) -> None:
        decide(step)
        if not step.change():
            step.tell(EventKind.BLIND)

    monkeypatch.setattr(engine, "decide", restless)
    found = _compare(kept)
    assert list(found.kinds) == ["Change.events"]
    assert found.differing > 10


def test_a_step_that_breaks(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "decide", lambda step: {}["a bug"])
    found = _compare(kept)
    assert found.differing == found.compared > 0
    assert list(found.kinds) == ["raises KeyError"]


def test_a_host_that_breaks(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step catches that, and holds the host."""
    monkeypatch.setitem(
        host_states.FUNCTIONS, HostState.FENCED, lambda step, host: 1 / 0
    )
    assert _compare(kept).differing > 0


def _state(shape: Shape) -> Shape:
    return Shape(shape.kind, {"state": Member("HostState", "CLOSED"), **shape.fields})


@pytest.mark.parametrize(
    ("then", "line"),
    [
        pytest.param(
            lambda text: text.replace('"closed_at":', '"shut_at":'),
            Renames(fields={"HostRecovery.shut_at": "closed_at"}),
            id="a renamed field",
        ),
        pytest.param(
            lambda text: text.replace('"closed_at":', '"gone":1,"closed_at":'),
            Renames(fields={"HostRecovery.gone": None}),
            id="a field that is gone",
        ),
        pytest.param(
            lambda text: text.replace('["HostState","FENCED"]', '["HostState","DEAD"]'),
            Renames(members={"HostState.DEAD": "FENCED"}),
            id="a renamed member",
        ),
        pytest.param(
            lambda text: text.replace('"old_requests":[],', ""),
            Renames(reshaped={"HostRecovery": adding(old_requests=[])}),
            id="a new field, though it has a default",
        ),
        pytest.param(
            lambda text: text.replace(
                '"state":{"!":["HostState","CLOSED"]}', '"over":1'
            ).replace(
                '"state":{"!":["HostState"', '"over":0,"state":{"!":["HostState"'
            ),
            Renames(
                fields={"HostRecovery.over": None}, reshaped={"HostRecovery": _state}
            ),
            id="a state that was said by a field",
        ),
    ],
)
def test_one_line_bridges(
    kept: Path, then: Callable[[str], str], line: Renames
) -> None:
    _rewrite(kept, then)
    without = _compare(kept)
    assert not without.same
    assert without.unbuilt > 0
    assert without.compared + without.unbuilt == _index(kept)["kept"]
    assert all(kind.startswith("cannot be rebuilt: ") for kind in without.kinds)
    found = _compare(kept, line)
    assert found.same
    assert found.compared == _index(kept)["kept"]


def test_a_renamed_class_needs_no_line(kept: Path) -> None:
    _rewrite(
        kept,
        lambda text: text.replace('["HostRecovery",', '["DeadHost",').replace(
            '["HostState",', '["Stage",'
        ),
    )
    assert _compare(kept).same


def test_a_line_that_fails(kept: Path) -> None:
    """The others are still compared."""
    found = _compare(kept, Renames(reshaped={"HostRecovery": lambda shape: {}["x"]}))
    (kind,) = found.kinds
    assert kind == "cannot be rebuilt: HostRecovery is not reshaped: KeyError('x')"
    assert found.unbuilt > 0
    assert found.compared > 0
    assert not found.same


def test_a_decision_that_is_lost(kept: Path) -> None:
    def without_the_last(text: str) -> str:
        return "".join(text.splitlines(keepends=True)[:-1])

    _rewrite(kept, without_the_last)
    with pytest.raises(ValueError, match="decisions instead of"):
        _compare(kept)
    (kept / FILE).unlink()
    with pytest.raises(FileNotFoundError):
        _compare(kept)


def test_two_classes_of_one_name_cannot_be_kept() -> None:
    @dataclass(frozen=True)
    class Another:
        event: Event

    Another.__name__ = "Event"
    with pytest.raises(ValueError, match="have one name"):
        Writer().add("", Another(Event(EventKind.BLIND, 0.0)))


@pytest.mark.parametrize("same", [True, False])
def test_the_exit_code(
    kept: Path,
    same: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if not same:
        monkeypatch.setattr(guard, "watch", lambda step: False)
    monkeypatch.setattr("sys.argv", ["tests.lib.decisions", "compare", str(kept)])
    assert program.main() == (0 if same else 1)
    last = capsys.readouterr().out.splitlines()[-1]
    count = _index(kept)["kept"]
    assert last.startswith(f"{count} decisions compared with those of ")
    assert last.endswith(": 0 differ, 0 cannot be rebuilt") is same
