# SPDX-License-Identifier: Apache-2.0
"""Each request that the trigger and its commands send to OpenStack, with the policy
rules that let it.

A test holds that the code sends no other one, and that none stands here in vain. So
``nova-ha permission list`` can print it as the access rules of an application
credential, and ``nova-ha check`` can say which permission is missing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_SEGMENT = re.compile(r"\{\w+\}")


@dataclass(frozen=True)
class ApiCall:
    """
    :ivar service: as openstacksdk calls it.
    :ivar path: below the version, as keystone's access rules write it: ``{server}``
        stands for one part.
    :ivar rules: the policy rules of that service; all are needed.
    :ivar why: what goes wrong without, as a sentence.
    """

    service: str
    method: str
    path: str
    rules: tuple[str, ...]
    why: str

    @property
    def name(self) -> str:
        """'GET /os-services'"""
        return f"{self.method} {self.path}"

    def is_meant(self, service: str, method: str, path: str) -> bool:
        """Whether a request is this one. :param path: without a query."""
        pattern = "[^/]+".join(map(re.escape, _SEGMENT.split(self.path)))
        same = (service, method) == (self.service, self.method)
        return same and re.fullmatch(pattern, path) is not None


def _nova(method: str, path: str, why: str, *rules: str) -> ApiCall:
    named = tuple(f"os_compute_api:{rule}" for rule in rules)
    return ApiCall("compute", method, path, named, why)


def _placement(path: str, rule: str, why: str) -> ApiCall:
    return ApiCall("placement", "GET", path, (f"placement:{rule}:list",), why)


SERVICES = _nova("GET", "/os-services", "No death can be seen.", "os-services:list")
CHANGE_SERVICE = _nova(
    "PUT",
    "/os-services/{service}",
    "A fenced host can neither be forced down nor disabled, and Nova evacuates only "
    "from a host that is down.",
    "os-services:update",
)
AGGREGATES = _nova(
    "GET",
    "/os-aggregates",
    "No tag of a host can be seen: nothing is protected.",
    "os-aggregates:index",
)
MAKE_AGGREGATE = _nova(
    "POST",
    "/os-aggregates",
    "No host can be put under maintenance or tagged where no aggregate says so yet.",
    "os-aggregates:create",
)
CHANGE_AGGREGATE = _nova(
    "POST",
    "/os-aggregates/{aggregate}/action",
    "No host can be put under maintenance or tagged.",
    "os-aggregates:add_host",
    "os-aggregates:remove_host",
    "os-aggregates:set_metadata",
)
HYPERVISORS = _nova(
    "GET",
    "/os-hypervisors/detail",
    "Which of Placement's providers is which host cannot be known, and so not where "
    "there is room.",
    "os-hypervisors:list-detail",
)
SERVERS = _nova(
    "GET",
    "/servers/detail",
    "Other tenants' servers cannot be seen, and would not be evacuated.",
    "servers:detail",
    "servers:detail:get_all_tenants",
    "servers:allow_all_filters",
    "servers:show:flavor-extra-specs",
    "os-extended-server-attributes",
)
SERVER = _nova(
    "GET",
    "/servers/{server}",
    "What has become of a server that a list leaves out cannot be seen.",
    "servers:show",
)
ACTION = _nova(
    "POST",
    "/servers/{server}/action",
    "No server can be evacuated, migrated, started or stopped.",
    "os-evacuate",
    "os-admin-actions:reset_state",
    "os-migrate-server:migrate",
    "os-migrate-server:migrate_live",
    "servers:confirm_resize",
    "servers:reboot",
    "servers:start",
    "servers:stop",
)
FORCE_COMPLETE = _nova(
    "POST",
    "/servers/{server}/migrations/{migration}/action",
    "A live migration that has no end, as its guest writes faster than its memory is "
    "copied, is not brought to one.",
    "servers:migrations:force_complete",
)
DIAGNOSTICS = _nova(
    "GET",
    "/servers/{server}/diagnostics",
    "Whether a host has rebooted by itself cannot be seen.",
    "os-server-diagnostics",
)
ACTIONS = _nova(
    "GET",
    "/servers/{server}/os-instance-actions",
    "Whether a server that is off was stopped by its user cannot be seen.",
    "os-instance-actions:list",
)
REQUEST = _nova(
    "GET",
    "/servers/{server}/os-instance-actions/{request}",
    "Why Nova has failed a request cannot be said.",
    "os-instance-actions:show",
    "os-instance-actions:events",
    "os-instance-actions:events:details",
)
SHARES = _nova(
    "GET",
    "/servers/{server}/shares",
    "That a server has a share, with which Nova does not evacuate it, is seen when "
    "Nova refuses it.",
    "os-server-shares:index",
)
MIGRATIONS = _nova(
    "GET",
    "/os-migrations",
    "The fate of an evacuation cannot be seen.",
    "os-migrations:index",
    "os-migrations:index:all_projects",
    "os-migrations:index:host",
)
GROUPS = _nova(
    "GET",
    "/os-server-groups",
    "Affinity cannot be seen: Nova may refuse the planned destination.",
    "os-server-groups:index",
    "os-server-groups:index:all_projects",
)
FLAVORS = _nova(
    "GET",
    "/flavors/detail",
    "What flavors say of ha cannot be checked.",
    "os-flavor-extra-specs:index",
)
CANDIDATES = _placement(
    "/allocation_candidates",
    "allocation_candidates",
    "Where there is room cannot be seen: no server would be asked for.",
)
ALLOCATIONS = _placement(
    "/allocations/{server}",
    "allocations",
    "What a server has of a host cannot be seen.",
)
PROVIDERS = _placement(
    "/resource_providers",
    "resource_providers",
    "What is below a host, and what Placement mirrors of aggregates, cannot be seen.",
)
CONSUMERS = _placement(
    "/resource_providers/{provider}/allocations",
    "resource_providers:allocations",
    "Servers that Nova's list leaves out cannot be found.",
)
INVENTORIES = _placement(
    "/resource_providers/{provider}/inventories",
    "resource_providers:inventories",
    "How much a host has, and how much one server may have of it, cannot be seen.",
)
TRAITS = _placement(
    "/resource_providers/{provider}/traits",
    "resource_providers:traits",
    "Which traits a host has cannot be seen.",
)
PORTS = ApiCall(
    "network",
    "GET",
    "/ports",
    ("get_port", "get_port:binding:host_id"),
    "Whether a server that has landed has its ports cannot be seen.",
)
VOLUMES = ApiCall(
    "block_storage",
    "GET",
    "/volumes/detail",
    ("volume:get_all", "context_is_admin"),
    "Whether a server that has landed has its volumes cannot be seen, and Cinder may "
    "refuse their attachment, too: Nova asks for it as the trigger's user.",
)
ENCRYPTION = ApiCall(
    "block_storage",
    "GET",
    "/volumes/{volume}/encryption",
    ("volume_extension:volume_encryption_metadata",),
    "Whether the key of an encrypted volume can be read is not checked.",
)
IMAGES = ApiCall(
    "image",
    "GET",
    "/images",
    ("get_images",),
    "What an image requires of a host cannot be seen.",
)
KEY = ApiCall(
    "key_manager",
    "HEAD",
    "/secrets/{secret}/payload",
    ("secret:decrypt",),
    "Whether the key of an encrypted volume can be read is not checked.",
)

CALLS = tuple(each for each in list(globals().values()) if isinstance(each, ApiCall))

CATALOG: Mapping[str, tuple[str, str]] = {
    "compute": ("compute", "/v2.1"),
    "placement": ("placement", ""),
    "network": ("network", "/v2.0"),
    "block_storage": ("block-storage", "/v3"),
    "image": ("image", "/v2"),
    "key_manager": ("key-manager", "/v1"),
}
"""By openstacksdk's word: the type in keystone's catalog, and what stands before a path
where a service has a port of its own."""


def listed(service: str, method: str, path: str) -> ApiCall | None:
    """The call that a request is; None: it is none of ours."""
    found = (call for call in CALLS if call.is_meant(service, method, path))
    return next(found, None)
