# SPDX-License-Identifier: Apache-2.0
"""Tables for people, which fit their terminal: text is wrapped, and nothing is cut."""

import argparse
import operator
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TextIO

from nova_ha_scheduler.cli.values import NOTHING, human

WIDTH = 80
"""Characters, where there is no terminal that says its own."""

_BREAKS = re.compile(r"(?<=[-./_:@,=;|])")
"""Where a name is broken that has to be: a host's, a UUID, a path."""

_TOO_TALL = 1.5
"""So many times the lines are too many for words that are not broken."""

_SAMPLE = 40
"""So many of the longest rows say how wide the columns are."""

_INDENT = "  "

_NARROW = 20
"""Characters in which nothing is indented."""

Cells = list[list[str]]


class Table:
    """cliff's formatter of that name, for lists and for one thing.

    :param below: sentences that stand below it.
    :param empty: what stands for a list without rows.
    """

    def __init__(self, below: Sequence[str] = (), empty: str = "") -> None:
        self._below, self._empty = below, empty

    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        rows = [list(row) for row in data]
        width = line_length(stdout, parsed_args)
        right = [bool(rows) and _is_number(value) for value in (rows or [[]])[0]]
        cells = [["" if (t := human(v)) == NOTHING else t for v in row] for row in rows]
        lines: list[str] = []
        if rows or parsed_args.print_empty:
            heads = list(column_names)
            if fits([heads, *cells], width):
                lines += drawn(heads, cells, width, right)
            else:
                pairs = [
                    [n, human(v)]
                    for row in rows
                    for n, v in zip(heads, row, strict=True)
                ]
                lines += drawn(["Field", "Value"], pairs, width, every=len(heads))
        for sentence in self._below:
            first, *more = wrap(_clean(sentence), width - len(_INDENT))
            lines += [first, *(f"{_INDENT}{line}" for line in more)]
        stdout.writelines(f"{line}\n" for line in lines or filter(None, [self._empty]))

    def emit_one(
        self,
        column_names: Sequence[str],
        data: Sequence[Any],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        if not column_names:
            return  # a sentence on standard error has said why
        cells = [[n, human(v)] for n, v in zip(column_names, data, strict=True)]
        lines = drawn(["Field", "Value"], cells, line_length(stdout, parsed_args))
        stdout.writelines(f"{line}\n" for line in lines)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def line_length(stdout: TextIO, args: argparse.Namespace) -> int:
    """The one that was asked for; else the terminal's, or WIDTH."""
    if args.max_width > 0:
        return int(args.max_width)
    terminal = stdout.isatty() or args.fit_width
    return shutil.get_terminal_size((WIDTH, 0)).columns if terminal else WIDTH


def fits(rows: Cells, width: int) -> bool:
    """Whether the columns have room beside each other, with names broken at most
    between their parts."""
    columns = zip(*rows, strict=True)
    return sum(_longest(column, _pieces) for column in columns) <= _room(rows, width)


def _room(rows: Cells, width: int) -> int:
    """How many characters are left beside the lines between the columns."""
    return width - 3 * len(rows[0]) - 1


def drawn(
    heads: list[str],
    cells: Cells,
    width: int,
    right: Sequence[bool] = (),
    every: int = 0,
) -> Iterator[str]:
    """The lines of a table, none longer than the width, if there is a way.

    :param right: which columns stand at the right, as numbers do.
    :param every: so many rows belong together; 0: each is on its own.
    """
    cells = [[_clean(cell) for cell in row] for row in cells]
    rows = [heads, *cells]
    widths = _widths(rows, _room(rows, width))
    rule = "+".join(["", *("-" * (size + 2) for size in widths), ""])
    yield rule
    yield from _lines(heads, widths, ())
    yield rule
    tall = False
    for number, row in enumerate(cells):
        lines = list(_lines(row, widths, right))
        ends = number % every == 0 if every else tall or len(lines) > 1
        if number and ends:
            yield rule  # else nobody sees where a row of several lines ends
        tall = len(lines) > 1
        yield from lines
    if cells:
        yield rule


def _lines(row: list[str], widths: list[int], right: Sequence[bool]) -> Iterator[str]:
    wrapped = [wrap(cell, size) for cell, size in zip(row, widths, strict=True)]
    right = right or [False] * len(row)
    for number in range(max(map(len, wrapped), default=0)):
        parts = []
        for cell, size, at_right in zip(wrapped, widths, right, strict=True):
            text = cell[number] if number < len(cell) else ""
            space = " " * (size - _size(text))
            parts.append(f" {space}{text} " if at_right else f" {text}{space} ")
        yield "|".join(["", *parts, ""])


def _widths(rows: Cells, room: int) -> list[int]:
    """How wide each column is; together no more than the room, if there is a way.

    Words are broken only where they have to be.
    """
    columns = list(zip(*rows, strict=True))
    whole = [_longest(column, str.splitlines) for column in columns]
    if sum(whole) <= room:
        return whole
    words = [_longest(column, str.split) for column in columns]
    pieces = [_longest(column, _pieces) for column in columns]
    rows = sorted(rows, key=lambda row: -sum(map(len, row)))[:_SAMPLE]
    if sum(pieces) > room:
        return _grown(rows, [1] * len(columns), pieces, room)
    least = list(pieces)
    for number, word in enumerate(words):
        # The first columns say what a row is about: names stay whole there.
        if sum(least) - least[number] + word <= room:
            least[number] = word
    broken = _grown(rows, pieces, whole, room)
    unbroken = _grown(rows, least, whole, room)
    lengthy = _height(rows, unbroken) > _TOO_TALL * _height(rows, broken)
    return broken if lengthy else unbroken


def _grown(rows: Cells, least: list[int], most: list[int], room: int) -> list[int]:
    """Widths within their bounds, and together the room: what makes rows tall grows."""
    widths, columns = list(least), list(zip(*rows, strict=True))

    def lines(number: int) -> list[int]:
        return [len(wrap(cell, widths[number])) for cell in columns[number]]

    heights = [lines(number) for number in range(len(columns))]
    for _ in range(room - sum(widths)):
        tops = [max(row) for row in zip(*heights, strict=True)]
        votes = [
            sum(map(operator.eq, tops, mine)) + 1 if width < limit else 0
            for mine, width, limit in zip(heights, widths, most, strict=True)
        ]
        if not any(votes):
            break
        number = votes.index(max(votes))
        widths[number] += 1
        heights[number] = lines(number)
    return widths


def _height(rows: Cells, widths: list[int]) -> int:
    """How many lines the rows take."""
    return sum(
        max(len(wrap(cell, size)) for cell, size in zip(row, widths, strict=True))
        for row in rows
    )


def _longest(cells: Iterable[str], parts: Callable[[str], Iterable[str]]) -> int:
    return max((_size(part) for cell in cells for part in parts(cell)), default=0)


def _pieces(text: str) -> Iterator[str]:
    return (piece for word in text.split() for piece in _BREAKS.split(word))


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most this width; a word is broken only if it is longer.

    Of a text of several lines, what continues one of them is indented.
    """
    parts = text.split("\n")
    indent = _INDENT if len(parts) > 1 and width > _NARROW else ""
    found = []
    for part in parts:
        if _size(part) <= width:
            found.append(part)
            continue
        first, *more = _filled(part, max(width - len(indent), 1))
        found += [first, *(f"{indent}{line}" for line in more)]
    return found


def _filled(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        space = " " if lines[-1] else ""
        if _size(lines[-1] + space + word) <= width:
            lines[-1] += space + word
            continue
        if lines[-1] and _size(word) <= width:
            lines.append(word)
            continue
        for piece in _BREAKS.split(word):
            if _size(lines[-1] + space + piece) > width:
                lines += _hewn(piece, width)
            else:
                lines[-1] += space + piece
            space = ""
    return [line for line in lines if line] or [""]


def _hewn(piece: str, width: int) -> list[str]:
    """Pieces of at most this width, of a word with no place to break it."""
    lines = [""]
    for letter in piece:
        if lines[-1] and _size(lines[-1] + letter) > width:
            lines.append("")
        lines[-1] += letter
    return lines


def _size(text: str) -> int:
    """Columns of a terminal."""
    if text.isascii():
        return len(text)
    return sum(_SIZES.get(unicodedata.east_asian_width(c), 1) for c in text) - sum(
        unicodedata.combining(c) != 0 for c in text
    )


_SIZES = {"F": 2, "W": 2}


def _clean(text: str) -> str:
    """What a terminal might obey is shown as a question mark."""
    text = text.replace("\r\n", "\n").replace("\t", " ")
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
