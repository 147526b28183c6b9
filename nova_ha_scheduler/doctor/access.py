# SPDX-License-Identifier: Apache-2.0
"""What the cloud lets the trigger see and do: a few small requests, none of which
changes anything."""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import calls, fields
from nova_ha_scheduler.cluster.openstack.api import (
    HYPERVISORS,
    PLACEMENT,
    READ,
    Api,
)
from nova_ha_scheduler.cluster.openstack.calls import ApiCall
from nova_ha_scheduler.doctor.finding import Finding, Severity

ERROR, WARNING = Severity.ERROR, Severity.WARNING

_NEEDED = {
    "compute": (READ, "Nova 2025.1 or later"),
    "placement": (PLACEMENT, "Placement of OpenStack Train or later"),
}
_NOBODY = "there-is-no-such-host"
_NO_AGGREGATE = 2**31 - 1
"""The last number that Nova's database has room for."""

_WILD = re.compile(r"\{[^}]*\}|\*\*|\*")

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Probe:
    """A list that the trigger asks for.

    :ivar key: of the items in the answer.
    :ivar severity: of its being hidden.
    :ivar rule: which of the call's policies most likely hides it.
    :ivar shown: what an item has to show, by the policy that lets it; a dot goes one
        deeper.
    """

    call: ApiCall
    key: str
    rule: str
    microversion: str | None = READ
    params: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    severity: Severity = ERROR


PROBES = (
    Probe(calls.SERVICES, "services", "os_compute_api:os-services:list"),
    Probe(calls.AGGREGATES, "aggregates", "os_compute_api:os-aggregates:index"),
    Probe(
        calls.SERVERS,
        "servers",
        "os_compute_api:servers:detail:get_all_tenants",
        params={"all_tenants": "1", "limit": "1"},
        shown={
            "OS-EXT-SRV-ATTR:host": "os_compute_api:os-extended-server-attributes",
            "flavor.extra_specs": "os_compute_api:servers:show:flavor-extra-specs",
        },
    ),
    Probe(
        calls.MIGRATIONS,
        "migrations",
        "os_compute_api:os-migrations:index, or "
        "os_compute_api:os-migrations:index:all_projects",
        params={"limit": "1"},
        shown={"source_compute": "os_compute_api:os-migrations:index:host"},
    ),
    Probe(
        calls.HYPERVISORS,
        "hypervisors",
        "os_compute_api:os-hypervisors:list-detail",
        microversion=HYPERVISORS,
        params={"limit": "1"},
    ),
    Probe(
        calls.GROUPS,
        "server_groups",
        "os_compute_api:os-server-groups:index:all_projects",
        params={"all_projects": "1", "limit": "1"},
    ),
    Probe(
        calls.FLAVORS,
        "flavors",
        "os_compute_api:os-flavor-extra-specs:index",
        params={"is_public": "None", "limit": "1"},
        shown={"extra_specs": "os_compute_api:os-flavor-extra-specs:index"},
    ),
    Probe(
        calls.CANDIDATES,
        "provider_summaries",
        "placement:allocation_candidates:list",
        microversion=PLACEMENT,
        params={"resources": "MEMORY_MB:1", "limit": "1"},
    ),
    Probe(
        calls.PROVIDERS,
        "resource_providers",
        "placement:resource_providers:list",
        microversion=PLACEMENT,
        params={"name": _NOBODY},
    ),
    Probe(
        calls.PORTS,
        "ports",
        "get_port",
        microversion=None,
        params={"limit": "1"},
        shown={"binding:host_id": "get_port:binding:host_id"},
    ),
    Probe(
        calls.VOLUMES,
        "volumes",
        "volume:get_all",
        microversion=None,
        params={"all_tenants": "1", "limit": "1"},
        # It is shown to whom Cinder takes for an administrator, and so are the volumes
        # of other projects.
        shown={"os-vol-host-attr:host": "context_is_admin"},
    ),
    Probe(
        calls.IMAGES,
        "images",
        "get_images",
        microversion=None,
        params={"visibility": "all", "limit": "1"},
        severity=WARNING,
    ),
)

_MAY_BE_MISSING = ("block_storage", "image")
"""A cloud may have no volumes, and the trigger's login may find no images."""


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
    """:raises CloudUnreachable: for all answers but good ones and 403, of services that
    the trigger cannot do without."""
    for probe in PROBES:
        service, path = probe.call.service, probe.call.path
        if service in _MAY_BE_MISSING and api.endpoint(service) is None:
            continue
        try:
            answer = api.get(service, path, probe.microversion, probe.params)
        except CloudUnreachable as error:
            if error.status == 403:
                words = f"{probe.call.name} is refused"
                yield _refused(words, probe.call.why, probe.rule, probe.severity)
            elif probe.severity is ERROR:
                raise
            else:
                mend = "see why the service does not answer"
                yield Finding(WARNING, str(error), probe.call.why, mend)
            continue
        if not probe.shown:
            continue
        items = fields.listed(answer, probe.key, f"{service} {probe.call.name}")
        for name, rule in probe.shown.items():
            if items and not _has(items[0], name):
                what = f"{probe.call.name} hides {name}"
                yield _refused(what, probe.call.why, rule, probe.severity)


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
            "The trigger asks for the servers of one dead host. Nova lists the "
            "servers of the whole cloud, at each request.",
            "give the trigger's user the policy "
            "os_compute_api:servers:allow_all_filters",
        )


def may_not_change_services(api: Api) -> Iterator[Finding]:
    """Asked of a service that does not exist."""
    path = f"/os-services/{uuid.uuid4()}"
    if api.forbids("PUT", path, {"forced_down": True}):
        yield _refused(
            "PUT /os-services is refused",
            calls.CHANGE_SERVICE.why,
            " and ".join(calls.CHANGE_SERVICE.rules),
        )


def may_not_change_aggregates(api: Api) -> Iterator[Finding]:
    """Asked of one that cannot exist, for a host that does not."""
    path = f"/os-aggregates/{_NO_AGGREGATE}/action"
    for rule, action in (
        ("add_host", {"host": _NOBODY}),
        ("remove_host", {"host": _NOBODY}),
        ("set_metadata", {"metadata": {_NOBODY: None}}),
    ):
        if api.forbids("POST", path, {rule: action}):
            yield _refused(
                f"{rule} of an aggregate is refused",
                calls.CHANGE_AGGREGATE.why,
                f"os_compute_api:os-aggregates:{rule}",
            )


def system_scope(api: Api) -> Iterator[Finding]:
    """Nova, Placement, Neutron and Cinder have no policy for such a token any more."""
    token = api.access()
    if token is not None and token.system_scoped:
        yield Finding(
            ERROR,
            "the login is scoped to the system, not to a project",
            "Nova answers 403 to each request of such a token: all of Nova's "
            "policies want a project.",
            "set project_name in [cloud], in the place of system_scope",
        )


def access_rules_missing(api: Api) -> Iterator[Finding]:
    """Where the login is an application credential with access rules: those that it
    lacks. What a service without an endpoint would be asked for is left out."""
    token = api.access()
    rules = token and token.application_credential_access_rules
    if rules is None:
        return
    for call in calls.CALLS:
        endpoint = api.endpoint(call.service)
        if endpoint is None:
            continue
        kind, prefix = endpoint
        path = prefix + call.path.replace("{", "").replace("}", "")
        if not any(_lets(rule, kind, call.method, path) for rule in rules):
            yield Finding(
                ERROR,
                f"the application credential has no access rule for {kind} "
                f"{call.method} {prefix}{call.path}",
                call.why,
                "make an application credential with the rules of nova-ha permission "
                "list",
            )


def _lets(rule: Json, kind: str, method: str, path: str) -> bool:
    """As keystonemiddleware reads it."""
    if (rule.get("service"), rule.get("method")) != (kind, method):
        return False
    pieces = _WILD.split(str(rule.get("path")))
    marks = _WILD.findall(str(rule.get("path")))
    found = re.escape(pieces[0])
    for mark, piece in zip(marks, pieces[1:], strict=True):
        found += (".*" if mark == "**" else "[^/]+") + re.escape(piece)
    return re.fullmatch(found, path) is not None


def _refused(what: str, why: str, rule: str, severity: Severity = ERROR) -> Finding:
    mend = f"the policy {rule} for the trigger's user, or a role that has it"
    return Finding(severity, what, why, mend)


def _has(item: Json, name: str) -> bool:
    found: Any = item
    for part in name.split("."):
        if not isinstance(found, dict) or part not in found:
            return False
        found = found[part]
    return True


FIRST = (system_scope, access_rules_missing)
"""Where one of them finds something, requests are refused in other words."""

CHECKS = (
    hidden,
    filters_ignored,
    may_not_change_services,
    may_not_change_aggregates,
)
