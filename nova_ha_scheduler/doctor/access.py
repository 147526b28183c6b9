# SPDX-License-Identifier: Apache-2.0
"""What the cloud lets the trigger see and do: a few small requests, none of which
changes anything."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import fields
from nova_ha_scheduler.cluster.openstack.api import (
    HYPERVISORS,
    PLACEMENT,
    READ,
    Api,
)
from nova_ha_scheduler.doctor.finding import Finding, Severity

ERROR, WARNING = Severity.ERROR, Severity.WARNING

_NEEDED = {
    "compute": (READ, "Nova 2025.1 or later"),
    "placement": (PLACEMENT, "Placement of OpenStack Stein or later"),
}
_NOBODY = "there-is-no-such-host"

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Probe:
    """A list that the trigger asks for.

    :ivar key: of the items in the answer.
    :ivar rule: the policy that lets it.
    :ivar shown: what an item has to show, by the policy that lets it; a dot goes one
        deeper.
    """

    path: str
    key: str
    rule: str
    why: str
    service: str = "compute"
    microversion: str | None = READ
    params: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)


PROBES = (
    Probe(
        "/os-services",
        "services",
        "os_compute_api:os-services:list",
        "No death can be seen.",
    ),
    Probe(
        "/os-aggregates",
        "aggregates",
        "os_compute_api:os-aggregates:index",
        "No tag of a host can be seen: nothing is protected.",
    ),
    Probe(
        "/servers/detail",
        "servers",
        "os_compute_api:servers:detail:get_all_tenants",
        "Other tenants' servers cannot be seen, and would not be evacuated.",
        params={"all_tenants": "1", "limit": "1"},
        shown={
            "OS-EXT-SRV-ATTR:host": "os_compute_api:os-extended-server-attributes",
            "flavor.extra_specs": "os_compute_api:servers:show:flavor-extra-specs",
        },
    ),
    Probe(
        "/os-migrations",
        "migrations",
        "os_compute_api:os-migrations:index, or "
        "os_compute_api:os-migrations:index:all_projects",
        "The fate of an evacuation cannot be seen.",
        params={"limit": "1"},
        shown={"source_compute": "os_compute_api:os-migrations:index:host"},
    ),
    Probe(
        "/os-hypervisors/detail",
        "hypervisors",
        "os_compute_api:os-hypervisors:list-detail",
        "Which of Placement's providers is which host cannot be known, and so not "
        "where there is room.",
        microversion=HYPERVISORS,
        params={"limit": "1"},
    ),
    Probe(
        "/os-server-groups",
        "server_groups",
        "os_compute_api:os-server-groups:index:all_projects",
        "Affinity cannot be seen: Nova may refuse the planned destination.",
        params={"all_projects": "1", "limit": "1"},
    ),
    Probe(
        "/flavors/detail",
        "flavors",
        "os_compute_api:os-flavor-extra-specs:index",
        "What flavors say of ha cannot be checked.",
        params={"is_public": "None", "limit": "1"},
        shown={"extra_specs": "os_compute_api:os-flavor-extra-specs:index"},
    ),
    Probe(
        "/allocation_candidates",
        "provider_summaries",
        "placement:allocation_candidates:list",
        "Where there is room cannot be seen: no server would be asked for.",
        service="placement",
        microversion=PLACEMENT,
        params={"resources": "MEMORY_MB:1", "limit": "1"},
    ),
    Probe(
        "/ports",
        "ports",
        "get_port",
        "Whether a server that has landed has its ports cannot be seen.",
        service="network",
        microversion=None,
        params={"limit": "1"},
        shown={"binding:host_id": "get_port:binding:host_id"},
    ),
)


def too_old(api: Api) -> Iterator[Finding]:
    """:raises CloudUnreachable: a service does not answer."""
    for service, (needed, words) in _NEEDED.items():
        newest = api.newest(service)
        if newest < tuple(map(int, needed.split("."))):
            yield Finding(
                ERROR,
                f"{service} has microversions up to {'.'.join(map(str, newest))}, and "
                f"{needed} is needed",
                "The trigger's requests are refused.",
                words,
            )


def hidden(api: Api) -> Iterator[Finding]:
    """:raises CloudUnreachable: for all answers but good ones and 403."""
    for probe in PROBES:
        try:
            answer = api.get(
                probe.service, probe.path, probe.microversion, probe.params
            )
        except CloudUnreachable as error:
            if error.status != 403:
                raise
            yield _refused(f"GET {probe.path} is refused", probe.why, probe.rule)
            continue
        if not probe.shown:
            continue
        items = fields.listed(answer, probe.key, f"{probe.service} GET {probe.path}")
        for name, rule in probe.shown.items():
            if items and not _has(items[0], name):
                yield _refused(f"GET {probe.path} hides {name}", probe.why, rule)


def filters_ignored(api: Api) -> Iterator[Finding]:
    """Nova passes over filters that a user may not use, and lists everything."""
    params = {"all_tenants": "1", "limit": "1", "host": _NOBODY}
    try:
        answer = api.get("compute", "/servers/detail", READ, params)
        listed = fields.listed(answer, "servers", "compute GET /servers/detail")
    except CloudUnreachable as error:
        if error.status != 403:
            raise
        return  # hidden() says why
    if listed:
        yield Finding(
            WARNING,
            "GET /servers/detail passes over host=",
            "The trigger asks for a dead host's servers, and Nova lists those of the "
            "whole cloud, again and again.",
            "the policy os_compute_api:servers:allow_all_filters for the trigger's "
            "user",
        )


def may_not_change_services(api: Api) -> Iterator[Finding]:
    """Asked of a service that does not exist."""
    path = f"/os-services/{uuid.uuid4()}"
    if api.forbids("PUT", path, {"forced_down": True}):
        yield _refused(
            "PUT /os-services is refused",
            "A fenced host can neither be forced down nor disabled, and Nova evacuates "
            "only from a host that is down.",
            "os_compute_api:os-services:update",
        )


def _refused(what: str, why: str, rule: str) -> Finding:
    mend = f"the policy {rule} for the trigger's user, or a role that has it"
    return Finding(ERROR, what, why, mend)


def _has(item: Json, name: str) -> bool:
    found: Any = item
    for part in name.split("."):
        if not isinstance(found, dict) or part not in found:
            return False
        found = found[part]
    return True


CHECKS = (hidden, filters_ignored, may_not_change_services)
