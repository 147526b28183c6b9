# SPDX-License-Identifier: Apache-2.0
"""From Nova's JSON to the engine's records. Pure.

Every function raises :class:`.fields.BadAnswer` for what it cannot read.
"""

import contextlib
import datetime
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import fields
from nova_ha_scheduler.cluster.openstack.fields import BadAnswer, Notes
from nova_ha_scheduler.cluster.openstack.requirements import Requirements
from nova_ha_scheduler.cluster.picture import UNNAMED, Host, Migration, Server
from nova_ha_scheduler.printable import one_line
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import HostFacts

Json = Mapping[str, Any]

HOST = "OS-EXT-SRV-ATTR:host"
VM_STATE = "OS-EXT-STS:vm_state"
_TASK_STATE = "OS-EXT-STS:task_state"
_POWER_STATE = "OS-EXT-STS:power_state"
_VOLUMES = "os-extended-volumes:volumes_attached"

_RUNNING = 1
"""nova.compute.power_state.RUNNING"""

_MAX_FAILURE = 200
"""Characters of what Nova says of a failure."""

_YES = ("true", "yes", "on", "1", "t", "y")

_SIZES = ("vcpus", "ram", "disk", "ephemeral")


def timestamp(text: Any) -> float | None:
    """Seconds since the epoch; OpenStack's times are UTC, said or not."""
    if text in (None, ""):
        return None
    try:
        said = datetime.datetime.fromisoformat(text)
        return said.replace(tzinfo=datetime.UTC).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise BadAnswer(f"{one_line(text, 40)} is no time") from None


def isotime(seconds: float) -> str:
    utc = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def host(service: Any, facts: HostFacts, now: float) -> Host:
    """A nova-compute service.

    :param facts: what the aggregates say of its host.
    :raises CloudUnreachable: its cell does not answer (Nova then shows a stub of it).
    """
    name = fields.name(service, "host")
    if service.get("status") == "UNKNOWN":
        raise CloudUnreachable(f"the cell of {name} does not answer")
    state, status = fields.text(service, "state"), fields.text(service, "status")
    if state not in ("up", "down") or status not in ("enabled", "disabled"):
        raise BadAnswer(f"it is {status} and {state}")
    up = state == "up"
    # Until the first heartbeat Nova goes by the record's creation, not shown here.
    updated_at = timestamp(service["updated_at"]) or (now if up else 0.0)
    return Host(
        name=name,
        facts=facts,
        up=up,
        forced_down=fields.flag(service, "forced_down"),
        disabled=status == "disabled",
        disabled_reason=fields.words(service, "disabled_reason"),
        updated_at=updated_at,
        availability_zone=fields.name(service, "zone"),
    )


def unreadable_host(service: Any, facts: HostFacts, why: str) -> Host:
    """In the place of one that cannot be read: no destination, and nobody's victim.

    :param facts: as for :func:`host`, of the host that it names, if it names one.
    """
    sentence = f"its compute service cannot be read: {why}"
    unknown = (vocabulary.MAINTENANCE, sentence)
    facts = replace(facts, bad=(*facts.bad, unknown))
    return Host(host_named(service), facts, unreadable=why)


def host_named(service: Any) -> str:
    """The host that a service names, if it can be read."""
    try:
        return fields.name(service, "host")
    except (BadAnswer, TypeError):
        return UNNAMED


def migration(record: Json) -> Migration:
    return Migration(
        id=fields.amount(record, "id"),
        server=fields.identity(record, "instance_uuid"),
        source=fields.name(record, "source_compute"),
        destination=fields.maybe(record, "dest_compute"),
        status=fields.name(record, "status"),
        kind=fields.name(record, "migration_type"),
        changed_at=_changed_at(record, "updated_at", "created_at"),
    )


def _changed_at(found: Json, *keys: str) -> float | None:
    """When Nova last wrote a record, by the first of these that is set. Nothing depends
    on it but who waits for whom: what cannot be read is not known."""
    with contextlib.suppress(BadAnswer):
        said = (timestamp(found.get(key)) for key in keys)
        return next((at for at in said if at), None)
    return None


def unreadable_migration(record: Any, source: str) -> dict[str, Any]:
    """What is known of one that cannot be read; see picture.Unread.

    :param source: the host that it was asked for with.
    """
    found = record if isinstance(record, dict) else {}
    about: dict[str, Any] = {"source": source}
    with contextlib.suppress(BadAnswer):
        about["at"] = timestamp(found.get("created_at"))
    with contextlib.suppress(BadAnswer):
        about["server"] = fields.identity(found, "instance_uuid")
    return about


def place(found: Json) -> str:
    """The host that a server is on; "": none."""
    return fields.maybe(found, HOST) or ""


def whereabouts(found: Json) -> tuple[str, str]:
    """A server's id, and the host that it is on."""
    return fields.identity(found), place(found)


def project(found: Json) -> str:
    """The project of a server."""
    return fields.name(found, "tenant_id")


def server(found: Json) -> Server:
    required = requirements(found)
    project(found), volumes_of(found)  # asked for by those who look closer
    flavor, image = required.flavor, required.properties
    metadata = fields.texts(found, "metadata")
    extra_specs = flavor["extra_specs"]
    return Server(
        uuid=fields.identity(found),
        name=fields.words(found, "name") or found["id"],
        host=place(found),
        vm_state=fields.name(found, VM_STATE),
        task_state=fields.maybe(found, _TASK_STATE),
        running=fields.amount(found, _POWER_STATE) == _RUNNING,
        locked=fields.flag(found, "locked"),
        extra_specs=extra_specs,
        metadata=metadata,
        local_disk=bool(found["image"] or flavor["ephemeral"] or flavor["swap"]),
        needs=required.resources,
        refused_by_nova=_kept_with(_tpm(extra_specs, image)),
        refused_live=_bound_to_its_host(extra_specs, image),
        refused_cold=_accelerator(extra_specs),
        traits=required.traits,
        forbidden_traits=required.forbidden,
        portions=required.portions,
        isolated=required.isolated,
        availability_zone=fields.maybe(found, "pinned_availability_zone"),
        changed_at=_changed_at(found, "updated"),
    )


def unreadable_server(found: Any, why: str, on: str = "") -> Server:
    """In the place of one that cannot be read: it is there, and nothing is done to it.

    :param on: the host that it was asked for with. Of several servers of a host whose
        ids cannot be read, there is one.
    """
    found = found if isinstance(found, dict) else {}
    uuid = f"unreadable@{on}"
    with contextlib.suppress(BadAnswer):
        on = place(found) or on
    with contextlib.suppress(BadAnswer):
        uuid = fields.identity(found)
    name = fields.words(found, "name") or uuid
    state = found.get(VM_STATE)
    ran = state == "active" or (state == "error" and found.get(_POWER_STATE) == 1)
    return Server(uuid, name, on, "unreadable", running=ran, unreadable=why)


def shown(found: Any, notes: Notes, on: str = "") -> Server:
    """A server, whether it can be read or not.

    :param notes: get it, if it cannot. :param on: as for :func:`unreadable_server`.
    """
    try:
        return server(fields.fields(found))
    except Exception as error:  # nobody knows all that it can be
        why = notes.add("server", found, error).why
        return unreadable_server(found, why, on)


def requirements(found: Json) -> Requirements:
    """What a server takes and requires, by its flavor and its image at the boot."""
    flavor = dict(fields.inside(found, "flavor"))
    sizes = {key: fields.amount(flavor, key) for key in _SIZES}
    # Nova's older views say "" for none.
    sizes["swap"] = fields.amount(flavor, "swap") if flavor.get("swap") else 0
    specs = fields.texts(flavor, "extra_specs")
    if "image" not in found:
        raise BadAnswer("image is missing")
    image = dict(fields.inside(found, "image")) if found["image"] else None
    if image is not None:
        properties = image.get("properties") or {}
        image = {"properties": fields.texts({"properties": properties}, "properties")}
    return Requirements({"flavor": {**sizes, "extra_specs": specs}, "image": image})


def image_of(found: Json) -> str | None:
    """The id of the image that a server was booted from; None: a volume."""
    image = found.get("image")
    return fields.identity(image) if image else None


def volumes_of(found: Json) -> list[str]:
    """The ids of a server's volumes."""
    attached = fields.items(found, _VOLUMES)
    return [fields.identity(fields.fields(volume)) for volume in attached]


def is_grouped(found: Json) -> bool:
    """Whether a server may be in a group."""
    hints = found.get("scheduler_hints")
    return isinstance(hints, dict) and bool(hints.get("group"))


def failure(events: Any) -> str:
    """What an instance action's events say of why it failed: the first that did, for
    the others have only passed it on. Administrators see it from 2.84 on."""
    found = fields.each(events if isinstance(events, list) else (), _failed)
    failed = sorted((one for one in found if one), key=lambda one: one[0])
    return one_line(failed[0][1], _MAX_FAILURE + 3) if failed else ""


def _failed(event: Json) -> tuple[str, str] | None:
    details = event.get("details")
    if event.get("result") != "Error" or not isinstance(details, str) or not details:
        return None
    return fields.words(event, "finish_time"), details


_RUNS_AFTER = ("create", "start", "reboot", "restore", "unshelve", "resume", "unrescue")
"""From nova.compute.instance_actions: after these a server runs. What moves it, or
makes it anew, leaves it as it was."""


def ordered(actions: Iterable[Any]) -> tuple[bool, bool] | None:
    """Whether a server is to run, by the newest of its instance actions that says so,
    and whether a user has ordered that: Nova stops by itself what does not run.

    :param actions: the newest first, as Nova lists them. One that went wrong has done
        nothing.
    """
    for action in fields.each(actions, fields.fields):
        done, wrong = action.get("action"), action.get("message") == "Error"
        if not wrong and done in (*_RUNS_AFTER, "stop"):
            return done != "stop", action.get("user_id", "") is not None
    return None


STAYS = (
    "only its own host can start it again (openstack server reboot --hard, when that "
    "is back)"
)
"""What is left for a server that Nova does not evacuate."""


def _kept_with(why: str) -> str:
    return f"{why}: {STAYS}" if why else ""


def _tpm(specs: Mapping[str, str], image: Mapping[str, str]) -> str:
    """nova.virt.hardware.get_vtpm_constraint goes by these two."""
    asked = specs.get("hw:tpm_version") or image.get("hw_tpm_version")
    return f"it has a vTPM ({asked})" if asked else ""


def _bound_to_its_host(specs: Mapping[str, str], image: Mapping[str, str]) -> str:
    """Why it cannot be moved while it runs; see nova.compute.api.API.live_migrate."""
    encrypted = (specs.get("hw:mem_encryption"), image.get("hw_mem_encryption"))
    if any(str(asked).lower() in _YES for asked in encrypted):
        return "its memory is encrypted"
    follows = specs.get("hw:tpm_secret_security") == "host"
    return _accelerator(specs) or ("" if follows else _tpm(specs, image))


def _accelerator(specs: Mapping[str, str]) -> str:
    profile = specs.get("accel:device_profile")
    return f"it has an accelerator ({profile})" if profile else ""


def group(found: Json) -> tuple[str, bool, frozenset[str]] | None:
    """The id, whether a hard policy keeps the members apart, and who they are.

    Of a group that allows several on a host, Nova's filter is the judge.
    """
    policy = fields.name(found, "policy")
    several = fields.fields(found.get("rules") or {}).get("max_server_per_host", 1)
    if policy not in ("affinity", "anti-affinity") or several > 1:
        return None
    members = frozenset(map(str, fields.items(found, "members")))
    return fields.identity(found), policy == "anti-affinity", members


def servers_shown(found: Iterable[Any]) -> Iterable[Any]:
    """The list, without those that are just being deleted: Nova saves that before it
    takes a server off its lists (nova.compute.api.API._local_delete); there is nothing
    left to do for it.

    :raises CloudUnreachable: one is a stub of a cell that does not answer.
    """
    for one in found:
        known = one if isinstance(one, dict) else {}
        if VM_STATE not in known and known.get("status") == "UNKNOWN":
            who = fields.words(known, "id")
            raise CloudUnreachable(f"the cell of {who} does not answer")
        if known.get(VM_STATE) != "deleted":
            yield one
