# SPDX-License-Identifier: Apache-2.0
"""Tables for people: they fit, and nothing is cut."""

import argparse
import io

import pytest

from nova_ha_scheduler.cli.table import Table, drawn, wrap

HOST = "compute-0123.rack07.example.org"
UUID = "0b3c1a52-5a52-4a8e-9d0f-6f0c1f6f7e11"


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 20, ["one two three"]),
        ("one two three", 8, ["one two", "three"]),
        (HOST, 20, ["compute-0123.rack07.", "example.org"]),
        (HOST, 16, ["compute-0123.", "rack07.example.", "org"]),
        (UUID, 18, ["0b3c1a52-5a52-", "4a8e-9d0f-", "6f0c1f6f7e11"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        (f"it is {HOST} of", 20, ["it is compute-0123.", "rack07.example.org", "of"]),
        ("first\nsecond one", 6, ["first", "second", "one"]),
        ("", 5, [""]),
        ("one two three\nfour", 22, ["one two three", "four"]),
        (f"one {HOST} two\nfour", 33, ["one", f"  {HOST}", "  two", "four"]),
        ("日本語の理由", 6, ["日本語", "の理由"]),
    ],
)
def test_wrap(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width) == lines


def test_words_are_broken_only_where_they_have_to_be() -> None:
    long = "no host can take it now: 4 in another zone, 2 without enough memory"
    narrow = "\n".join(drawn(["from", "why"], [[HOST, long]], 60))
    assert f"| {HOST} |" in narrow
    text = "\n".join(drawn(["server", "from", "to"], [[UUID, HOST, HOST]], 80))
    assert all(len(line) <= 80 for line in text.splitlines())
    whole = ["".join(column.split()) for column in _columns(text)]
    assert whole == [f"server{UUID}", f"from{HOST}", f"to{HOST}"]


def _columns(text: str) -> list[str]:
    lines = [line.strip("|").split("|") for line in text.splitlines() if "|" in line]
    return ["".join(parts) for parts in zip(*lines, strict=True)]


def test_what_does_not_fit_beside_each_other_stands_below() -> None:
    """Many columns become a block a row."""
    names = [f"a_column_{number}" for number in range(12)]
    rows = [[HOST, None, *range(10)], ["b", "c", *range(10)]]
    out, args = io.StringIO(), argparse.Namespace(print_empty=False, max_width=0)
    args.fit_width = False
    Table().emit_list(names, rows, out, args)
    lines = out.getvalue().splitlines()
    assert lines[3] == f"| a_column_0  | {HOST} |"
    assert lines[4].split() == ["|", "a_column_1", "|", "-", "|"]
    assert sum(line.startswith("+") for line in lines) == 4
    assert max(map(len, lines)) <= 80


def test_rows_of_several_lines_are_told_apart() -> None:
    cells = [["a", "x"], ["b", "y"], ["c", "two\nlines"], ["d", "z"]]
    assert list(drawn(["id", "what"], cells, 80)) == [
        "+----+-------+",
        "| id | what  |",
        "+----+-------+",
        "| a  | x     |",
        "| b  | y     |",
        "+----+-------+",
        "| c  | two   |",
        "|    | lines |",
        "+----+-------+",
        "| d  | z     |",
        "+----+-------+",
    ]


def test_nothing_that_a_terminal_obeys() -> None:
    text = "\n".join(drawn(["why"], [["\x1b[2J\tred"]], 80))
    assert "?[2J red" in text


def test_what_makes_a_row_tall_gets_the_room() -> None:
    """Not all columns alike: a host's name has few lines, a reason many."""
    why = "no host can take it now: 4 in nfs-b, 2 without enough VCPU"
    heads = ["name", "from", "outcome", "to", "candidates", "reason"]
    cells = [["server-00001", HOST, "evacuate", HOST, "10", why]]
    assert len(list(drawn(heads, cells, 80))) <= 10
