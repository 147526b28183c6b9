# SPDX-License-Identifier: Apache-2.0
"""The requests that the code can send, read from it: the calls of Api's methods."""

import ast
from collections.abc import Iterator
from pathlib import Path

import nova_ha_scheduler

ROOT = Path(nova_ha_scheduler.__file__).parent

Values = dict[str, dict[int, str]]
"""By name and line: what is assigned there."""

_READS = {"get": "GET", "pages": "GET", "_page": "GET", "_read": "GET"}
_OWN = ROOT / "cluster" / "openstack" / "api.py"


def sent() -> Iterator[tuple[str, str, str, str]]:
    """Where, the service, the method, and the path with * for what is filled in."""
    for path in ROOT.rglob("*.py"):
        if path == _OWN:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                where = f"{path.relative_to(ROOT)}:{node.name}"
                yield from ((where, *found) for found in _in(node))


def _in(function: ast.FunctionDef) -> Iterator[tuple[str, str, str]]:
    values: Values = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target, value in _pairs(node.targets[0], node.value):
                if isinstance(target, ast.Name) and (
                    text := _text(value, _known(values))
                ):
                    values.setdefault(target.id, {})[node.lineno] = text
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            before = {
                name: max((line, text) for line, text in found.items())[1]
                for name, every in values.items()
                if (found := {n: t for n, t in every.items() if n <= node.lineno})
            }
            yield from _of_call(node.func, node.args, before)


def _known(values: Values) -> dict[str, str]:
    return {name: list(found.values())[-1] for name, found in values.items()}


def _of_call(
    func: ast.Attribute, args: list[ast.expr], values: dict[str, str]
) -> Iterator[tuple[str, str, str]]:
    first = args[0] if args else None
    texts = [_word(arg, values) for arg in args[:3]]
    if func.attr == "placement" and len(args) > 1:  # of lists.py
        yield "placement", "GET", texts[0]
    if func.attr in _READS and len(args) > 1 and isinstance(first, ast.Constant):
        if texts[1].startswith("/"):
            yield str(first.value), _READS[func.attr], texts[1]
    elif func.attr in ("act", "forbids") and len(args) > 1:
        yield "compute", texts[0], texts[1]
    elif func.attr == "status" and len(args) > 2:
        yield texts[0], texts[1], texts[2]


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value


def _word(node: ast.expr, values: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return values.get(node.id, "?")
    return _text(node, values) or "?"


def _text(node: ast.expr, values: dict[str, str]) -> str:
    """Of a constant or an f-string; "" of anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                parts.append(str(part.value))
                continue
            assert isinstance(part, ast.FormattedValue)
            name = part.value.id if isinstance(part.value, ast.Name) else ""
            parts.append(values.get(name, "*"))
        return "".join(parts)
    return ""
