# SPDX-License-Identifier: Apache-2.0
"""The words of a scenario: from text to what a verb's method takes.

A verb is a method whose name begins with ``do_``; its annotations say what each word
has to be, and its docstring is its help.
"""

import inspect
import math
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, NewType

from nova_ha_scheduler import spelling
from nova_ha_scheduler.evacuation.interfaces import WitnessVerdict
from nova_ha_scheduler.records.effects import Effect

HostName = NewType("HostName", str)
ServerId = NewType("ServerId", str)
"""Written as the server's name or uuid."""
NewServer = NewType("NewServer", str)
"""The name of a server that there is not yet."""
Seconds = NewType("Seconds", float)
Call = Literal[
    "force_down",
    "lift",
    "disable",
    "enable",
    "evacuate",
    "force",
    "reset",
    "explain",
    "look",
    "orders",
    "start",
    "stop",
    "reboot",
    "flag",
    "unflag",
    "live-migration",
    "migration",
    "confirm",
    "fence",
]
"""What can be asked of Nova or of a fence device."""


class BadScenario(Exception):
    """A scenario that cannot be played: str() says in which line, and why."""


class WordReader:
    """Reads the words of one scenario on one cloud.

    :param servers: uuids by name; a name may stand for several.
    """

    def __init__(
        self, hosts: Collection[str], servers: Mapping[str, Collection[str]]
    ) -> None:
        self._hosts = hosts
        self._servers = {name: list(uuids) for name, uuids in servers.items()}
        self._uuids = {uuid for uuids in servers.values() for uuid in uuids}
        self._readers: dict[Any, Callable[[str], Any]] = {
            HostName: self._host,
            ServerId: self._server,
            NewServer: self._new_server,
            Seconds: _seconds,
            int: _whole,
            str: str,
            WitnessVerdict: lambda word: _one_of(
                word, [v.value for v in WitnessVerdict], WitnessVerdict
            ),
            Effect: lambda word: _one_of(word, [e.value for e in Effect], Effect),
        }

    def bind(self, verb: Callable[..., None], words: list[str]) -> list[Any]:
        """What the words mean to the verb.

        :raises BadScenario: without the line's number.
        """
        signature = inspect.signature(verb)
        try:
            signature.bind(*words)
        except TypeError:
            raise BadScenario(f"it takes: {usage(verb)}") from None
        parameters = list(signature.parameters.values())
        kinds = [
            hint
            for name, hint in typing.get_type_hints(verb).items()
            if name != "return"
        ]
        if parameters and parameters[-1].kind is inspect.Parameter.VAR_POSITIONAL:
            kinds += [kinds[-1]] * len(words)
        return [self._read(w, kind) for w, kind in zip(words, kinds, strict=False)]

    def _read(self, word: str, kind: Any) -> Any:
        if typing.get_origin(kind) is Literal:
            return _one_of(word, typing.get_args(kind), str)
        for one in typing.get_args(kind) or (kind,):  # a union: with None
            if one in self._readers:
                return self._readers[one](word)
        raise TypeError(f"no words for {kind}")

    def _host(self, word: str) -> str:
        if word not in self._hosts:
            raise BadScenario(
                f"there is no host {word}{spelling.hint(word, self._hosts)}"
            )
        return word

    def _server(self, word: str) -> str:
        if word in self._uuids:
            return word
        found = self._servers.get(word)
        if not found:
            raise BadScenario(
                f"there is no server {word}{spelling.hint(word, self._servers)}"
            )
        if len(found) > 1:
            several = ", ".join(sorted(found))
            raise BadScenario(f"several servers are named {word}: {several}")
        return found[0]

    def _new_server(self, word: str) -> str:
        if word in self._servers:
            raise BadScenario(f"there is a server {word} already")
        self._servers[word] = [f"uuid-{word}"]
        return word


def usage(verb: Callable[..., None]) -> str:
    """'power on|off HOST'"""
    hints, words = typing.get_type_hints(verb), [verb.__name__[3:].replace("_", "-")]
    for parameter in inspect.signature(verb).parameters.values():
        if parameter.name == "self":
            continue
        kind = hints[parameter.name]
        several = typing.get_args(kind) if typing.get_origin(kind) is Literal else ()
        word = "|".join(several) if 0 < len(several) < 5 else parameter.name.upper()
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            word = f"[{word}...]"
        elif parameter.default is not inspect.Parameter.empty:
            word = f"[{word}]"
        words.append(word)
    return " ".join(words)


def _one_of(word: str, known: Iterable[str], make: Callable[[str], Any]) -> Any:
    known = list(known)
    if word not in known:
        raise BadScenario(f"{word} is none of {', '.join(known)}")
    return make(word)


def _seconds(word: str) -> float:
    try:
        found = float(word)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise BadScenario(f"{word} is no number of seconds")
    return found


def _whole(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise BadScenario(f"{word} is no whole number") from None
