# SPDX-License-Identifier: Apache-2.0
"""What images require of a host, as they were when servers were booted from them.

Nova's scheduler goes by what an image was at the boot, and no API shows the traits of
that. Glance shows those that the image has now, which its owner may have changed since,
for a reason or out of malice. So Glance is believed only where it says that the image
has not been changed since before the server was made. Of all others it is not known
what they require: Nova's scheduler, which knows, judges the host that is asked for.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nova_ha_scheduler.cluster.openstack import fields, parse
from nova_ha_scheduler.cluster.openstack.fields import BadAnswer

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Image:
    """An image as it was at one moment.

    :ivar traits: what it requires of a host.
    :ivar changed_at: when it was changed for the last time.
    :ivar seen_at: when that was asked for.
    """

    traits: frozenset[str]
    changed_at: float
    seen_at: float

    def was_so_at(self, boot: float) -> bool:
        """Whether it was the same at that time, which is true for ever then. Times are
        whole seconds: within the same one, nobody knows."""
        return self.changed_at < boot <= self.seen_at


NOT_THERE = Image(frozenset(), float("inf"), float("inf"))
"""One that is deleted: it will not be there again."""


@dataclass(frozen=True)
class Booted:
    """By which image, and when, a server was made."""

    image: str
    at: float


def booted(found: Json) -> Booted | None:
    """None: from a volume, or it cannot be read."""
    try:
        image, at = parse.image_of(found), parse.timestamp(found.get("created"))
    except (BadAnswer, TypeError, AttributeError):
        return None
    return Booted(image, at) if image and at is not None else None


def unknown(wanted: Iterable[Booted], known: Mapping[str, Image]) -> frozenset[str]:
    """The images that have to be asked for: servers that are younger than what is
    known of theirs may have been booted from another edition of it."""
    return frozenset(
        one.image
        for one in wanted
        if one.image not in known or one.at > known[one.image].seen_at
    )


def traits(one: Booted | None, known: Mapping[str, Image]) -> frozenset[str]:
    """What a server's image required at the boot, as far as that is known."""
    image = known.get(one.image) if one else None
    known_then = image is not None and one is not None and image.was_so_at(one.at)
    return image.traits if image and known_then else frozenset()


def read(found: Any, asked: Collection[str], now: float) -> tuple[str, Image]:
    """One of Glance's images, with its id.

    :param asked: what was asked for; others are none of ours.
    """
    uuid = fields.identity(fields.fields(found))
    if uuid not in asked:
        raise BadAnswer(f"{uuid} was not asked for")
    changed_at = parse.timestamp(found.get("updated_at"))
    required = (k.partition(":") for k, said in found.items() if said == "required")
    wanted = frozenset(trait for kind, _, trait in required if kind == "trait")
    return uuid, Image(wanted, changed_at if changed_at is not None else now, now)
