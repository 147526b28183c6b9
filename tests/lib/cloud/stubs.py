# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for keystone, glance and neutron; cinder.py has cinder's.

They are not what is tested: they hold just what Nova and the openstack client ask for.
There is one user, an administrator, with one token for everything; images carry no
data and are active at once; there are no networks.
"""

import datetime
import json
import re
import threading
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from typing import Any

#: Placement's ``noauth2`` takes the token "admin" for an administrator's.
TOKEN = "admin"
_DOMAIN = {"id": "default", "name": "Default"}
PROJECT = {"id": "1" * 32, "name": "demo", "domain": _DOMAIN}
USER = {"id": "2" * 32, "name": "admin", "domain": _DOMAIN}
_ROLES = ("admin", "manager", "member", "reader", "service")

#: Two, because a rebuild with another image is an operation of its own.
IMAGES = {
    "first": "11111111-1111-1111-1111-111111111111",
    "second": "22222222-2222-2222-2222-222222222222",
}

_SERVICES = {
    "compute": "nova",
    "placement": "placement",
    "identity": "keystone",
    "image": "glance",
    "network": "neutron",
    "block-storage": "cinder",
}

Json = dict[str, Any]


class StubError(Exception):
    """A request that ends in an HTTP error."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class Request:
    """What a route needs of a WSGI request."""

    def __init__(self, environ: Json) -> None:
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ["PATH_INFO"].rstrip("/")
        self.queries = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
        self.query = {key: values[-1] for key, values in self.queries.items()}
        length = int(environ.get("CONTENT_LENGTH") or 0)
        self.body: Any = json.loads(environ["wsgi.input"].read(length) or b"null")


class Stub:
    """A WSGI application whose ``routes`` map "METHOD path-pattern" to methods.

    A method gets the request and the pattern's groups. It returns a status, a body to
    be sent as JSON, or None for none, and, if it likes, headers.
    """

    def __init__(self) -> None:
        self.routes: dict[str, Callable[..., tuple[Any, ...]]] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: Json, start: Callable[..., Any]) -> list[bytes]:
        request = Request(environ)
        headers: list[tuple[str, str]] = []
        try:
            with self._lock:
                status, body, *rest = self._route(request)
            headers += rest
        except StubError as error:
            status, body = error.status, {"error": {"message": str(error)}}
        data = b""
        if body is not None:
            data = json.dumps(body).encode()
            headers += [("Content-Type", "application/json")]
        start(status, [*headers, ("Content-Length", str(len(data)))])
        return [data]

    def _route(self, request: Request) -> tuple[Any, ...]:
        for route, method in self.routes.items():
            verb, pattern = route.split(" ")
            match = re.fullmatch(pattern, request.path)
            if match and verb == request.method:
                return method(request, *match.groups())
        raise StubError("404 Not Found", f"no {request.method} {request.path} here")


class Keystone(Stub):
    """Tokens for whoever asks, with the catalog of the cloud."""

    def __init__(self, endpoints: Mapping[str, str]) -> None:
        super().__init__()
        self._endpoints = endpoints
        self.routes = {
            "GET ": self._versions,
            "GET /v3": self._version,
            "POST /v3/auth/tokens": self._token,
            "GET /v3/auth/tokens": self._token,
            "GET /v3/projects": self._projects,
            "GET /v3/projects/.*": self._project,
        }

    def _v3(self) -> Json:
        links = [{"rel": "self", "href": self._endpoints["identity"] + "/v3/"}]
        return {"id": "v3.14", "status": "stable", "links": links, "media-types": []}

    def _versions(self, request: Request) -> tuple[Any, ...]:
        return "300 Multiple Choices", {"versions": {"values": [self._v3()]}}

    def _version(self, request: Request) -> tuple[Any, ...]:
        return "200 OK", {"version": self._v3()}

    def _projects(self, request: Request) -> tuple[Any, ...]:
        return "200 OK", {"projects": [PROJECT]}

    def _project(self, request: Request) -> tuple[Any, ...]:
        return "200 OK", {"project": PROJECT}

    def _token(self, request: Request) -> tuple[Any, ...]:
        now = datetime.datetime.now(datetime.UTC)
        until = now + datetime.timedelta(days=1)
        token = {
            "methods": ["password"],
            "user": USER,
            "project": PROJECT,
            "is_domain": False,
            "roles": [{"id": role, "name": role} for role in _ROLES],
            "catalog": [self._service(kind) for kind in _SERVICES],
            "audit_ids": ["none"],
            "issued_at": now.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
            "expires_at": until.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
        }
        status = "201 Created" if request.method == "POST" else "200 OK"
        return status, {"token": token}, ("X-Subject-Token", TOKEN)

    def _service(self, kind: str) -> Json:
        name = _SERVICES[kind]
        endpoints = [
            {
                "id": f"{name}-{interface}",
                "interface": interface,
                "region": "RegionOne",
                "region_id": "RegionOne",
                "url": self._endpoints[kind],
            }
            for interface in ("public", "internal", "admin")
        ]
        return {"type": kind, "name": name, "id": name, "endpoints": endpoints}


class Glance(Stub):
    """Image records: the two of ``IMAGES``, and snapshots.

    :ivar others: images that are listed, too: other tenants'.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.others: list[Json] = []
        self._images: dict[str, Json] = {}
        for name, identifier in IMAGES.items():
            self._add({"id": identifier, "name": name, "visibility": "public"})
        self.routes = {
            "GET (?:/versions)?": self._versions,
            "GET /v2/schemas/image": self._schema,
            "GET /v2/images": self._list,
            "POST /v2/images": self._create,
            "GET /v2/images/([^/]+)": self._show,
            "PATCH /v2/images/([^/]+)": self._update,
            "DELETE /v2/images/([^/]+)": self._delete,
        }

    def _add(self, fields: Json) -> Json:
        identifier = fields.setdefault("id", str(uuid.uuid4()))
        image = {
            "status": "active",
            "visibility": "private",
            "container_format": "bare",
            "disk_format": "raw",
            "size": 1,
            "min_ram": 0,
            "min_disk": 0,
            "protected": False,
            "tags": [],
            "owner": PROJECT["id"],
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
            "checksum": "0" * 32,
            "schema": "/v2/schemas/image",
            "file": f"/v2/images/{identifier}/file",
            "self": f"/v2/images/{identifier}",
            **fields,
        }
        self._images[identifier] = image
        return image

    def _find(self, identifier: str) -> Json:
        if identifier not in self._images:
            raise StubError("404 Not Found", f"no image {identifier}")
        return self._images[identifier]

    def _versions(self, request: Request) -> tuple[Any, ...]:
        links = [{"rel": "self", "href": self._url + "/v2/"}]
        versions = [{"id": "v2.17", "status": "CURRENT", "links": links}]
        return "300 Multiple Choices", {"versions": versions}

    def _schema(self, request: Request) -> tuple[Any, ...]:
        fields: Json = {name: {} for name in next(iter(self._images.values()))}
        anything = {"type": "string"}
        return "200 OK", {
            "name": "image",
            "properties": fields,
            "additionalProperties": anything,
        }

    def _list(self, request: Request) -> tuple[Any, ...]:
        images = [*self.others, *self._images.values()]
        return "200 OK", {"images": images, "first": "/v2/images"}

    def _create(self, request: Request) -> tuple[Any, ...]:
        return "201 Created", self._add(dict(request.body))

    def _show(self, request: Request, identifier: str) -> tuple[Any, ...]:
        return "200 OK", self._find(identifier)

    def _update(self, request: Request, identifier: str) -> tuple[Any, ...]:
        image = self._find(identifier)
        for change in request.body:
            name = change["path"].lstrip("/")
            if change["op"] == "remove":
                image.pop(name, None)
            else:
                image[name] = change["value"]
        return "200 OK", image

    def _delete(self, request: Request, identifier: str) -> tuple[Any, ...]:
        del self._images[self._find(identifier)["id"]]
        return "204 No Content", None


class Neutron(Stub):
    """No networks, and no ports but those that tests put there: other tenants'.

    Nova asks even for servers that were booted with no network.

    :ivar ports: found as MariaDB finds them, whose databases compare without case.
    """

    _FILTERS = frozenset(
        (
            *("id", "name", "network_id", "admin_state_up", "mac_address", "fixed_ips"),
            *("device_id", "device_owner", "tenant_id", "project_id", "status"),
            *("security_groups", "binding:host_id"),
        )
    )
    """By these alone, ports can be filtered: neutron_lib has is_filter there."""

    _PAGES = frozenset(("fields", "limit", "marker", "page_reverse"))

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.ports: list[Json] = []
        self.routes = {
            "GET (?:/v2.0)?": self._versions,
            r"GET /v2\.0/ports": self._list_ports,
            r"GET /v2\.0/([a-z-]+)": self._list,
        }

    def _versions(self, request: Request) -> tuple[Any, ...]:
        links = [{"rel": "self", "href": self._url + "/v2.0/"}]
        version = {"id": "v2.0", "status": "CURRENT", "links": links}
        return "200 OK", {"versions": [version]}

    def _list(self, request: Request, resource: str) -> tuple[Any, ...]:
        return "200 OK", {resource.replace("-", "_"): []}

    def _list_ports(self, request: Request) -> tuple[Any, ...]:
        if wrong := sorted(request.queries.keys() - self._FILTERS - self._PAGES):
            words = f"{wrong} is invalid attribute for filtering"
            return "400 Bad Request", {"NeutronError": {"message": words}}
        found = [port for port in self.ports if self._fits(port, request.queries)]
        return "200 OK", {"ports": found}

    @staticmethod
    def _fits(port: Json, queries: Mapping[str, list[str]]) -> bool:
        def plainly(value: object) -> str:
            return str(value).rstrip().lower()

        owner = {"tenant_id": port.get("project_id"), **port}
        return all(
            plainly(owner[key]) in map(plainly, wanted)
            for key, wanted in queries.items()
            if key in owner
        )


class _TokenAuth:
    """The paste filter in keystonemiddleware's place: everybody with the token."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: Json, start: Callable[..., Any]) -> Any:
        if environ.get("HTTP_X_AUTH_TOKEN") != TOKEN:
            start("401 Unauthorized", [("Content-Length", "0")])
            return [b""]
        environ |= {
            "HTTP_X_USER_ID": USER["id"],
            "HTTP_X_USER_NAME": USER["name"],
            "HTTP_X_PROJECT_ID": PROJECT["id"],
            "HTTP_X_PROJECT_NAME": PROJECT["name"],
            "HTTP_X_ROLES": ",".join(_ROLES),
            "HTTP_X_USER_DOMAIN_ID": _DOMAIN["id"],
            "HTTP_X_PROJECT_DOMAIN_ID": _DOMAIN["id"],
            "HTTP_X_IDENTITY_STATUS": "Confirmed",
        }
        return self._application(environ, start)


def auth_filter(global_conf: Any, **local_conf: Any) -> Callable[[Any], _TokenAuth]:
    """Serve paste, which finds this function by its name in api-paste.ini."""
    return _TokenAuth
