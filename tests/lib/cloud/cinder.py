# SPDX-License-Identifier: Apache-2.0
"""A stand-in for cinder (stubs.py): volumes are records."""

import uuid
from typing import Any

from tests.lib.cloud.stubs import Json, Request, Stub, StubError


class Cinder(Stub):
    """Volumes and their attachments, as Nova's attachment flow needs them.

    :ivar others: volumes that are listed, too: other tenants'.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.others: list[Json] = []
        self._volumes: dict[str, Json] = {}
        self._attachments: dict[str, Json] = {}
        self.routes = {
            "GET ": self._versions,
            "GET /v3": self._versions,
            "POST /v3/volumes": self._create_volume,
            "GET /v3/volumes(?:/detail)?": self._list_volumes,
            "GET /v3/volumes/([^/]+)": self._show_volume,
            "DELETE /v3/volumes/([^/]+)": self._delete_volume,
            "POST /v3/volumes/([^/]+)/action": self._volume_action,
            "POST /v3/attachments": self._create_attachment,
            "GET /v3/attachments(?:/detail)?": self._list_attachments,
            "GET /v3/attachments/([^/]+)": self._show_attachment,
            "PUT /v3/attachments/([^/]+)": self._update_attachment,
            "DELETE /v3/attachments/([^/]+)": self._delete_attachment,
            "POST /v3/attachments/([^/]+)/action": self._complete_attachment,
        }

    def _versions(self, request: Request) -> tuple[Any, ...]:
        version = {
            "id": "v3.0",
            "status": "CURRENT",
            "version": "3.71",
            "min_version": "3.0",
            "links": [{"rel": "self", "href": self._url + "/"}],
        }
        return "300 Multiple Choices", {"versions": [version]}

    def _find(self, kind: dict[str, Json], identifier: str) -> Json:
        if identifier not in kind:
            raise StubError("404 Not Found", f"no {identifier}")
        return kind[identifier]

    def _create_volume(self, request: Request) -> tuple[Any, ...]:
        asked = request.body["volume"]
        image = asked.get("imageRef")
        volume = {
            "id": str(uuid.uuid4()),
            "name": asked.get("name"),
            "description": asked.get("description"),
            "size": asked["size"],
            "status": "available",
            "availability_zone": asked.get("availability_zone") or "nova",
            "bootable": "true",
            "encrypted": False,
            "multiattach": False,
            "volume_type": None,
            "snapshot_id": None,
            "created_at": "2026-01-01T00:00:00",
            "metadata": {},
            "attachments": [],
            "os-vol-host-attr:host": "storage@pool#pool",
        }
        if image:
            volume["volume_image_metadata"] = {"image_id": image, "size": "1"}
        self._volumes[volume["id"]] = volume
        return "202 Accepted", {"volume": volume}

    def _list_volumes(self, request: Request) -> tuple[Any, ...]:
        return "200 OK", {"volumes": [*self.others, *self._volumes.values()]}

    def _show_volume(self, request: Request, identifier: str) -> tuple[Any, ...]:
        return "200 OK", {"volume": self._find(self._volumes, identifier)}

    def _delete_volume(self, request: Request, identifier: str) -> tuple[Any, ...]:
        del self._volumes[self._find(self._volumes, identifier)["id"]]
        return "202 Accepted", None

    def _volume_action(self, request: Request, identifier: str) -> tuple[Any, ...]:
        volume = self._find(self._volumes, identifier)
        states = {"os-begin_detaching": "detaching", "os-roll_detaching": "in-use"}
        for action in request.body:
            volume["status"] = states.get(action, volume["status"])
        return "202 Accepted", None

    def _create_attachment(self, request: Request) -> tuple[Any, ...]:
        asked = request.body["attachment"]
        volume = self._find(self._volumes, asked["volume_uuid"])
        attachment = {
            "id": str(uuid.uuid4()),
            "volume_id": volume["id"],
            "instance": asked.get("instance_uuid"),
            "status": "reserved",
            "attach_mode": "rw",
            "connection_info": {},
        }
        self._attachments[attachment["id"]] = attachment
        if asked.get("connector"):
            self._connect(attachment, asked["connector"])
        self._refresh(volume)
        return "200 OK", {"attachment": attachment}

    def _connect(self, attachment: Json, connector: Json) -> None:
        attachment["status"] = "attaching"
        attachment["device"] = connector.get("mountpoint")
        attachment["connection_info"] = {
            "driver_volume_type": "fake",
            "volume_id": attachment["volume_id"],
        }

    def _refresh(self, volume: Json) -> None:
        """Derive a volume's state from its attachments, as cinder does."""
        mine = [
            attachment
            for attachment in self._attachments.values()
            if attachment["volume_id"] == volume["id"]
        ]
        states = {attachment["status"] for attachment in mine}
        if "attached" in states:
            volume["status"] = "in-use"
        else:
            volume["status"] = "reserved" if mine else "available"
        volume["attachments"] = [
            {
                "attachment_id": attachment["id"],
                "server_id": attachment["instance"],
                "volume_id": volume["id"],
                "device": attachment.get("device"),
            }
            for attachment in mine
        ]

    def _list_attachments(self, request: Request) -> tuple[Any, ...]:
        wanted = {
            "instance": request.query.get("instance_id"),
            "volume_id": request.query.get("volume_id"),
        }
        found = [
            attachment
            for attachment in self._attachments.values()
            if all(value in (None, attachment[key]) for key, value in wanted.items())
        ]
        return "200 OK", {"attachments": found}

    def _show_attachment(self, request: Request, identifier: str) -> tuple[Any, ...]:
        return "200 OK", {"attachment": self._find(self._attachments, identifier)}

    def _update_attachment(self, request: Request, identifier: str) -> tuple[Any, ...]:
        attachment = self._find(self._attachments, identifier)
        self._connect(attachment, request.body["attachment"]["connector"])
        return "200 OK", {"attachment": attachment}

    def _complete_attachment(
        self, request: Request, identifier: str
    ) -> tuple[Any, ...]:
        attachment = self._find(self._attachments, identifier)
        attachment["status"] = "attached"
        self._refresh(self._volumes[attachment["volume_id"]])
        return "204 No Content", None

    def _delete_attachment(self, request: Request, identifier: str) -> tuple[Any, ...]:
        attachment = self._find(self._attachments, identifier)
        del self._attachments[identifier]
        if attachment["volume_id"] in self._volumes:
            self._refresh(self._volumes[attachment["volume_id"]])
        return "200 OK", {"attachments": []}
