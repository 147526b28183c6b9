# SPDX-License-Identifier: Apache-2.0
"""Several Nova cells in one process.

A process of Nova serves one cell: its ``[database]`` and ``transport_url`` are global.
But a request context can name another cell's database and transport
(``nova.context.set_target_cell``), and Nova prefers those wherever it uses a context.
So each context that comes into being in code of another cell is targeted at it. That
code is found by a context variable, set while a service starts, in its periodic tasks
and in the threads that serve its RPC.

The first cell is the controller's own: it has the process's globals and the name "".
"""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

from nova import context as nova_context

#: Where an RPC message says on which broker it was sent.
CONTEXT_KEY = "tests_cloud_cell"

_ATTRIBUTES = ("db_connection", "mq_connection", "cell_uuid")


class Cell:
    """A cell other than the first, with its database and its broker."""

    def __init__(self, mapping: Any) -> None:
        """Connect to the cell of an ``objects.CellMapping``."""
        self.name: str = mapping.name
        context = nova_context.get_admin_context()
        nova_context.set_target_cell(context, mapping)
        self._connections = {name: getattr(context, name) for name in _ATTRIBUTES}
        _cells[self.name] = self

    def target(self, context: Any) -> None:
        """Point a new request context at this cell."""
        for name, value in self._connections.items():
            setattr(context, name, value)


_cells: dict[str, Cell] = {}
_current: contextvars.ContextVar[Cell | None] = contextvars.ContextVar(
    "cell", default=None
)


def current() -> Cell | None:
    return _current.get()


def current_name() -> str:
    cell = _current.get()
    return cell.name if cell else ""


@contextlib.contextmanager
def entered(cell: Cell | None) -> Iterator[None]:
    """Run the code below as code of a cell."""
    token = _current.set(cell)
    try:
        yield
    finally:
        _current.reset(token)


def follow() -> None:
    """Have Nova's request contexts follow the current cell."""
    request_context = nova_context.RequestContext
    original_init = request_context.__init__
    if getattr(original_init, "follows_cell", False):
        return
    original_from_dict = request_context.from_dict.__func__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original_init(self, *args, **kwargs)
        cell = _current.get()
        if cell is not None:
            cell.target(self)

    def from_dict(cls: Any, values: dict[str, Any]) -> Any:
        # The key is there when an RPC server unpacks a request. Each server has
        # threads of its own, so its thread may stay in the server's cell for good.
        if CONTEXT_KEY in values:
            _current.set(_cells.get(values.pop(CONTEXT_KEY)))
        return original_from_dict(cls, values)

    init.follows_cell = True  # type: ignore[attr-defined]
    request_context.__init__ = init
    request_context.from_dict = classmethod(from_dict)
