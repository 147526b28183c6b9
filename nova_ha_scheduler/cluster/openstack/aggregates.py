# SPDX-License-Identifier: Apache-2.0
"""Tags of hosts: a key and its value in the metadata of a host aggregate.

A host is only put into, and only taken out of, aggregates that say the one key and
nothing else: what else an aggregate says (an availability zone, a tenant) would come
or go with the tag.
"""

import enum
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nova_ha_scheduler.cluster.errors import CloudUnreachable, Refused
from nova_ha_scheduler.cluster.openstack import tags
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.printable import plain
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.vocabulary import BadValue

TRUE = "true"
"""The value of a flag that is set."""

_NAMES = {
    vocabulary.HA: "ha-protected",
    vocabulary.RESERVED: "ha-reserved",
    vocabulary.MAINTENANCE: "ha-maintenance",
}
_ZONE_NAME = "ha-zone-"

_LOOKS = 10
"""A tag takes up to three steps, each seen before the next; the rest is for others
who change the same aggregates at the same time."""

_REFUSALS = 3
"""So often the same request is refused while what Nova shows still calls for it."""

Json = Mapping[str, Any]


class Action(enum.Enum):
    """What is done to an aggregate."""

    CREATE = "create"
    DESCRIBE = "describe"
    """Give an empty aggregate its metadata."""
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True)
class TagRequest:
    """One request to Nova.

    :ivar aggregate: its name.
    :ivar metadata: what it says, or is to say.
    :ivar id: None for one that is to be created.
    """

    action: Action
    host: str
    aggregate: str
    metadata: Mapping[str, str] = field(hash=False)
    id: int | None = None


class Aggregates:
    """Sets and removes tags; safe to be repeated, and to be used by several at once.

    Each request follows from what Nova shows then, and what was refused is looked at
    again: somebody else may have been quicker.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def all(self) -> list[Json]:
        """All host aggregates, as Nova shows them.

        :raises CloudUnreachable: they could not be had; or one cannot be read, so that
            nobody knows what its hosts have already.
        """
        found = Lists(self._api).aggregates()
        read = list(map(tags.read, found))
        for aggregate in read:
            if aggregate.why:
                words = f"aggregate {aggregate.name}: {aggregate.why}"
                raise CloudUnreachable(words)
        named = zip(found, read, strict=True)
        return [{**raw, "name": said.name} for raw, said in named]

    def tag(self, host: str, key: str, value: str = TRUE) -> list[TagRequest]:
        """Let some aggregate of the host say this.

        :param host: the service host's exact name.
        :returns: what was done; nothing, if the host had the tag.
        :raises Refused: Nova's no, or a conflict that a person has to solve.
            Anything else that is raised: unknown; to be repeated.
        """
        return self.follow(lambda found: tagging(found, host, key, value))

    def untag(self, host: str, key: str) -> list[TagRequest]:
        """Let no aggregate of the host say this; as tag()."""
        return self.follow(lambda found: untagging(found, host, key))

    def follow(
        self, plan: Callable[[list[Json]], list[TagRequest]]
    ) -> list[TagRequest]:
        """Do what the plan says, again and again, until it says nothing more.

        :param plan: the next steps, from the aggregates as they are then.
        :returns: what was done.
        """
        done: list[TagRequest] = []
        refusals: Counter[TagRequest] = Counter()
        for _ in range(_LOOKS):
            steps = plan(self.all())
            if not steps:
                return done
            for step in steps:
                try:
                    self._do(step)
                    done.append(step)
                except Refused:
                    refusals[step] += 1
                    if refusals[step] == _REFUSALS:
                        raise
        raise RuntimeError("somebody else keeps changing the same aggregates")

    def _do(self, step: TagRequest) -> None:
        path = "/os-aggregates"
        if step.action is Action.CREATE:
            self._api.act("POST", path, {"aggregate": {"name": step.aggregate}})
            return
        host = {"host": step.host}
        actions: Mapping[Action, Json] = {
            Action.DESCRIBE: {"set_metadata": {"metadata": dict(step.metadata)}},
            Action.ADD: {"add_host": host},
            Action.REMOVE: {"remove_host": host},
        }
        action = dict(actions[step.action])
        self._api.act("POST", f"{path}/{step.id}/action", action)


def tagging(
    aggregates: Sequence[Json], host: str, key: str, value: str = TRUE
) -> list[TagRequest]:
    """The next step on the way to a tag; none, if the host has it.

    :raises Refused: the host has another value, or the aggregate's name is taken.
    """
    ours = _of(aggregates, host)
    values = {aggregate["name"]: _readable(aggregate, host, key) for aggregate in ours}
    for name, other in values.items():
        if other not in (None, value):
            raise Refused(
                f"{host} has {key}={other} already, from aggregate {name}: it has to "
                f"be taken out of that first"
            )
    if value in values.values():
        return []
    wanted, name = {key: value}, _name(key, value)
    fitting = [a for a in aggregates if not _words(a, leave_out=key)]
    fitting = [a for a in fitting if _said(a, key) == value]
    if fitting:
        chosen = min(fitting, key=lambda a: _rank(a, key, name))
        return [_step(Action.ADD, host, chosen)]
    for aggregate in aggregates:
        if aggregate["name"] != name:
            continue
        if aggregate["metadata"] or aggregate["hosts"]:
            raise Refused(_taken(aggregate, key, value))
        # Left behind by one who was killed before the next request.
        return [TagRequest(Action.DESCRIBE, host, name, wanted, aggregate["id"])]
    return [TagRequest(Action.CREATE, host, name, wanted)]


def untagging(aggregates: Iterable[Json], host: str, key: str) -> list[TagRequest]:
    """The steps that remove a tag, readable or not; none, if the host has it not.

    :raises Refused: an aggregate says more than this key.
    """
    tagged = that_say(aggregates, host, key)
    for aggregate in tagged:
        more = _words(aggregate, leave_out=key)
        if more:
            name = shlex.quote(aggregate["name"])
            spelt = vocabulary.spellings(aggregate["metadata"], key)
            keys = " ".join(f"--property {shlex.quote(one)}" for one in spelt)
            raise Refused(
                f"{host} has {key}={_said(aggregate, key)} from aggregate "
                f"{aggregate['name']}, which says {more}, too. By hand, take the host "
                f"out of it (openstack aggregate remove host {name} {host}), or the "
                f"key, for all of its hosts (openstack aggregate unset {keys} {name})"
            )
    return [_step(Action.REMOVE, host, aggregate) for aggregate in tagged]


def that_say(aggregates: Iterable[Json], host: str, key: str) -> list[Json]:
    """The aggregates that a host has a tag from, readable or not, by name."""
    return [a for a in _of(aggregates, host) if _said(a, key) is not None]


def _of(aggregates: Iterable[Json], host: str) -> list[Json]:
    """Those that a host is in, by name."""
    found = (aggregate for aggregate in aggregates if host in aggregate["hosts"])
    return sorted(found, key=lambda aggregate: str(aggregate["name"]))


def _step(action: Action, host: str, aggregate: Json) -> TagRequest:
    return TagRequest(
        action, host, aggregate["name"], aggregate["metadata"], aggregate["id"]
    )


def _value(aggregate: Json, key: str) -> str | None:
    """What the rules read; "false" and an absent key are the same."""
    if key == vocabulary.STORAGE_ZONE:
        return vocabulary.storage_zone(aggregate["metadata"])
    return TRUE if vocabulary.boolean(aggregate["metadata"], key) else None


def _said(aggregate: Json, key: str) -> str | None:
    """The same; what cannot be read stays as it is."""
    try:
        return _value(aggregate, key)
    except BadValue as error:
        return error.value


def _readable(aggregate: Json, host: str, key: str) -> str | None:
    try:
        return _value(aggregate, key)
    except BadValue as error:
        raise Refused(
            f"{host} is in aggregate {aggregate['name']}, whose {error}: that has to "
            "be put right first"
        ) from None


def _name(key: str, value: str) -> str:
    """What an aggregate for one tag is called."""
    return _NAMES.get(key) or _ZONE_NAME + value


def _rank(aggregate: Json, key: str, name: str) -> tuple[bool, bool, str]:
    """Which aggregate for the one tag comes first: one that spells the key as we do,
    which Nova's own filters read, too; one that is called as we would call it."""
    spelt = set(aggregate["metadata"]) == {key}
    return not spelt, aggregate["name"] != name, aggregate["name"]


def _words(aggregate: Json, leave_out: str = "") -> str:
    """What it says, but for this key, in whatever spelling."""
    mine = vocabulary.spellings(aggregate["metadata"], leave_out)
    metadata = sorted(aggregate["metadata"].items())
    said = (f"{key}={value}" for key, value in metadata if key not in mine)
    return plain(", ".join(said))


def _taken(aggregate: Json, key: str, value: str) -> str:
    said = _words(aggregate) or "nothing"
    hosts = ", ".join(aggregate["hosts"]) or "none"
    return (
        f"an aggregate for {key}={value} would be called {aggregate['name']}, but one "
        f"of that name says {said} (its hosts: {hosts}): rename it, or make another "
        f"one that says {key}={value} alone"
    )
