# SPDX-License-Identifier: Apache-2.0
"""Every exit code, in one place: the help of each command and docs/exit-codes.md are
made from it, and a code that is not in a command's row is not that command's.

What is made for monitoring has meanings of its own: ``check`` and ``health``. All
others share those below.
"""

from collections.abc import Mapping

DONE, ERROR, WRONG, PARTLY, REFUSED, LATE = range(6)

CANNOT_TELL = 3
"""Of ``health`` alone."""

INTERRUPTED = 130
"""By Ctrl-C: as shells say it, 128 and the signal's number."""

MEANINGS: Mapping[int, str] = {
    DONE: "done",
    ERROR: "an error",
    WRONG: "wrong arguments, or a wrong configuration",
    PARTLY: "partly, or not all",
    REFUSED: "refused",
    LATE: "not in time",
}
"""What a code means, whoever ends with it."""

_COMMON = {code: MEANINGS[code] for code in (DONE, ERROR, WRONG)}

_LOOKS: Mapping[int, str] = _COMMON | {DONE: "it is shown"}
"""Of a command that only shows something."""

_QUEUED = "or is queued since no trigger is active"
_UNANSWERED = "the active trigger has not answered in time: the order is queued"

_ORDERS: Mapping[int, str] = _COMMON | {
    DONE: f"it was taken, {_QUEUED}",
    REFUSED: "it was refused",
    LATE: _UNANSWERED,
}

_CONFIRMS: Mapping[int, str] = _COMMON | {
    DONE: f"it was taken or noted, {_QUEUED}",
    PARTLY: "of several hosts, some were refused or not answered",
    REFUSED: "it was refused",
    LATE: _UNANSWERED,
}

_MAINTENANCE: dict[int, str] = _COMMON | {
    PARTLY: "not all is as it was ordered, and why is said",
    REFUSED: "the order was refused",
    LATE: "not at its end within --timeout",
}

_TAGS: Mapping[int, str] = _COMMON | {
    DONE: "it is as asked for (or would be)",
    ERROR: "an error: whether it was done is not known, run it again",
    PARTLY: "Nova refused on the way, a part may be done",
    REFUSED: "refused, nothing was changed",
}

COMMANDS: Mapping[str, Mapping[int, str]] = {
    "abort": _ORDERS,
    "capacity": _COMMON
    | {
        DONE: "whichever hosts die, as many as --failures says: every protected "
        "server is recovered",
        ERROR: "some would be left, or that cannot be told, or an error",
    },
    "check": {
        0: "nothing but infos",
        1: "warnings",
        2: "errors, or something could not be checked; wrong arguments, too",
    },
    "confirm-fenced": _CONFIRMS,
    "evacuate": _COMMON
    | {
        DONE: "all that is to be recovered is (or was ordered, or would be); without "
        f"--wait: the order was taken or noted, {_QUEUED}",
        PARTLY: "some servers are not recovered, or would not be",
        REFUSED: "the order was refused; with --to, a server does not go there",
        LATE: f"not at its end within --timeout; without --wait: {_UNANSWERED}",
    },
    "explain": _COMMON
    | {
        DONE: "there is a destination, or --host is one",
        PARTLY: "there is none",
    },
    "guard reset": _ORDERS,
    "health": {
        0: "protected",
        1: "degraded: a host, a zone, or something beside the trigger",
        2: "not protecting: no dead host would be recovered now",
        3: "cannot tell; wrong arguments, too",
    },
    "history events": _LOOKS,
    "history list": _LOOKS,
    "history purge": _COMMON,
    "history show": _LOOKS,
    "host list": _LOOKS,
    "maintenance end": _MAINTENANCE | {DONE: "the host is given back"},
    "maintenance list": _LOOKS,
    "maintenance show": _LOOKS,
    "maintenance start": _MAINTENANCE
    | {DONE: "the host is under maintenance; with --wait, it is empty, too"},
    "pause": _COMMON,
    "permission list": _LOOKS,
    "plan": _COMMON
    | {
        DONE: "all that is to be recovered would be (or was ordered, or is, with "
        "--wait)",
        ERROR: "an error, or with --apply a change since",
        PARTLY: "some servers would not be, or are not; or with --apply, a part of the "
        "orders was refused or not answered",
        REFUSED: "the order was refused",
        LATE: _UNANSWERED,
    },
    "receiver list": _LOOKS,
    "receiver test": _COMMON
    | {
        DONE: "each has taken it",
        ERROR: "none has taken it, or an error",
        PARTLY: "some have not taken it",
    },
    "replay": _COMMON
    | {
        DONE: "every decision is the same",
        ERROR: "a decision is not the same, or an error",
    },
    "resume": _COMMON,
    "retry": _ORDERS,
    "simulate": _COMMON
    | {
        DONE: "every protected server is recovered, and no safety rule is broken",
        ERROR: "a protected server is not recovered, or a safety rule would have "
        "been broken, or an error",
    },
    "snapshot": _COMMON,
    "status": _LOOKS,
    "tag": _TAGS,
    "untag": _TAGS,
}
"""Of each command of nova-ha, by its words: what its exit codes mean."""

PROGRAMS: Mapping[str, Mapping[int, str]] = {
    "nova-ha-evacuator": _COMMON
    | {
        DONE: "it was ended, by SIGTERM or SIGINT",
        ERROR: "an error: it could not be started",
    },
    "nova-ha-pacemaker-alert": {
        DONE: "the word was given, or there was none to give",
        ERROR: "a person has to give it, and why is said",
        WRONG: "it was not called by Pacemaker",
    },
}
"""Of the other programs, which people do not call."""


def sentence(command: str) -> str:
    """What the help of a command says of its exit codes; "" of one without a row."""
    row = COMMANDS.get(command)
    return "" if row is None else _sentence(row)


def of_program(name: str) -> str:
    """The same of another program."""
    return _sentence(PROGRAMS[name])


def _sentence(row: Mapping[int, str]) -> str:
    return "Exit codes: " + "; ".join(f"{code} {row[code]}" for code in row) + "."


def table() -> str:
    """docs/exit-codes.md's table, in Markdown."""
    head = [f"{code}: {meaning}" for code, meaning in MEANINGS.items()]
    rows = [["", *head], ["---"] * (len(head) + 1)]
    rows += [_cells(f"nova-ha {name}", row) for name, row in COMMANDS.items()]
    rows += [_cells(name, row) for name, row in PROGRAMS.items()]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _cells(name: str, row: Mapping[int, str]) -> list[str]:
    found = ("" if row.get(c) == MEANINGS[c] else row.get(c, "-") for c in MEANINGS)
    return [f"`{name}`", *found]
