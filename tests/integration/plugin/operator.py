# SPDX-License-Identifier: Apache-2.0
"""What the tests do to the cloud, and how they wait for it. All over the API."""

import contextlib
import itertools

from tests.lib.cloud.stubs import IMAGES

# Actions whose body is null; the others want an object, if an empty one.
_BARE = {"migrate", "confirmResize", "shelve", "shelveOffload", "unshelve"}
_FINAL = {"done", "completed", "confirmed", "reverted", "finished", "error", "failed"}


class Operator:
    """Asks the cloud for things. What was made is undone when the test ends."""

    _numbers = itertools.count()

    def __init__(self, cloud, flavors, cleanup=None):
        self.cloud = cloud
        self.flavors = flavors
        self.compute = cloud.openstack().compute
        self._cleanup = cleanup

    # Aggregates.

    def aggregate(self, metadata, hosts):
        """Put hosts into a new aggregate for the time of the test."""
        name = f"test-{next(self._numbers)}"
        aggregate = self.cloud.aggregate(name, metadata, hosts)

        def undo():
            for host in self.compute.get_aggregate(aggregate).hosts or []:
                self.compute.remove_host_from_aggregate(aggregate, host)
            self.compute.delete_aggregate(aggregate)

        self._cleanup.callback(undo)
        return aggregate

    def leave(self, name, host):
        """Take a host out of a standing aggregate for the time of the test."""
        aggregate = self.compute.find_aggregate(name)
        self.compute.remove_host_from_aggregate(aggregate, host)
        self._cleanup.callback(self.compute.add_host_to_aggregate, aggregate, host)

    # Servers.

    def ask_boot(self, host=None, flavor="plain", hints=None, **server):
        """Ask for a server; return its id without waiting."""
        body = {
            "name": f"server-{next(self._numbers)}",
            "flavorRef": self.flavors.get(flavor, flavor),
            "imageRef": IMAGES["first"],
            "networks": "none",
            **({"host": host} if host else {}),
            **server,
        }
        hints = {"os:scheduler_hints": hints} if hints else {}
        answer = self.cloud.nova("POST", "/servers", {"server": body, **hints})
        assert answer.ok, answer.text
        uuid = answer.json()["server"]["id"]
        self.clean_up(uuid)
        return uuid

    def clean_up(self, uuid):
        """Delete a server when the test ends."""
        if self._cleanup:
            self._cleanup.callback(self.delete, uuid)

    def boot(self, host=None, **request):
        """Boot a server; return its id when it is active."""
        uuid = self.ask_boot(host, **request)
        self.cloud.wait_status(uuid, "ACTIVE")
        if host:
            assert self.cloud.host(uuid) == host
        return uuid

    def boot_several(self, count, **request):
        """Boot with one request; return the servers' ids when all are active."""
        first = self.ask_boot(min_count=count, max_count=count, **request)
        name = self.cloud.server(first)["name"].rpartition("-")[0]
        found = self.cloud.nova("GET", f"/servers?name={name}-").json()["servers"]
        servers = [server["id"] for server in found]
        for uuid in servers:
            if uuid != first:
                self.clean_up(uuid)
            self.cloud.wait_status(uuid, "ACTIVE")
        return servers

    def volume(self):
        """What a boot request says to boot from a new volume."""
        volume = self.cloud.openstack().block_storage.create_volume(size=1)
        disk = {
            "boot_index": 0,
            "uuid": volume.id,
            "source_type": "volume",
            "destination_type": "volume",
        }
        return {"imageRef": "", "block_device_mapping_v2": [disk]}

    def boot_fails(self, host=None, **request):
        """Ask for a server that no host takes; return its fault's message."""
        uuid = self.ask_boot(host, **request)
        server = self.cloud.wait_status(uuid, "ERROR")
        return server["fault"]["message"]

    def delete(self, uuid):
        self.cloud.nova("DELETE", f"/servers/{uuid}")
        self.cloud.wait(
            f"{uuid} is deleted",
            lambda: self.cloud.nova("GET", f"/servers/{uuid}").status_code == 404,
        )

    def act(self, uuid, action, microversion="2.94", **arguments):
        """Ask for an action on a server; return the API's answer."""
        body = {action: arguments or (None if action in _BARE else {})}
        return self.cloud.nova("POST", f"/servers/{uuid}/action", body, microversion)

    def live_migrate(self, uuid, host=None):
        """Return whether it came to pass."""
        return self._move(
            uuid, "os-migrateLive", "live-migration", host=host, block_migration="auto"
        )

    def cold_migrate(self, uuid, host=None):
        """Migrate and confirm; return whether it came to pass."""
        return self._move(uuid, "migrate", "migration", host=host)

    def resize(self, uuid, flavor="larger"):
        """Resize and confirm; return whether it came to pass."""
        return self._move(uuid, "resize", "resize", flavorRef=self.flavors[flavor])

    def _move(self, uuid, action, kind, **arguments):
        before = {m["id"] for m in self.migrations(uuid)}
        answer = self.act(uuid, action, **arguments)
        assert answer.ok or "No valid host" in answer.text, answer.text

        def settled():
            server = self.cloud.server(uuid)
            return server["OS-EXT-STS:task_state"] is None and [
                m
                for m in self.migrations(uuid)
                if m["id"] not in before and m["status"] in _FINAL
            ]

        (migration,) = self.cloud.wait(f"{action} of {uuid}", settled)
        assert migration["migration_type"] == kind
        if self.cloud.server(uuid)["status"] == "VERIFY_RESIZE":
            self.act(uuid, "confirmResize")
            self.cloud.wait_status(uuid, "ACTIVE")
        return migration["status"] not in ("error", "failed")

    def ask_evacuate(self, uuid, host=None):
        answer = self.act(uuid, "evacuate", **({"host": host} if host else {}))
        assert answer.ok, answer.text

    def evacuate(self, uuid, host=None):
        """Evacuate; return whether it came to pass (its migration record is done)."""
        return self._move(
            uuid, "evacuate", "evacuation", **({"host": host} if host else {})
        )

    def shelve(self, uuid):
        """Shelve and offload."""
        self.act(uuid, "shelve")
        self.cloud.wait(
            f"{uuid} is shelved",
            lambda: (
                self.cloud.server(uuid)["status"] in ("SHELVED", "SHELVED_OFFLOADED")
            ),
        )
        if self.cloud.server(uuid)["status"] == "SHELVED":
            self.act(uuid, "shelveOffload")
        self.cloud.wait_status(uuid, "SHELVED_OFFLOADED")

    def unshelve(self, uuid):
        self.act(uuid, "unshelve")
        self.cloud.wait_status(uuid, "ACTIVE")

    def migrations(self, uuid):
        answer = self.cloud.nova("GET", f"/os-migrations?instance_uuid={uuid}")
        return answer.json()["migrations"]

    # Hosts.

    @contextlib.contextmanager
    def dead(self, host):
        """A host that has died, and that Nova knows to be down."""
        self.cloud.crash(host)
        try:
            self.cloud.force_down(host)
            yield
        finally:
            self.cloud.revive(host)
            self.cloud.force_down(host, False)
