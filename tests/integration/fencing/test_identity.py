# SPDX-License-Identifier: Apache-2.0
"""Two hosts with one device: found out however it is spelt, and by what it says."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import Deadlines, identity
from nova_ha_scheduler.fencing.identity import DevicePlace, Ledger, MachineIdentity
from tests.lib import peers


def redfish(address: str, **more: str) -> dict[str, object]:
    login = {"username": "u", "password": "p"}
    return {"method": "redfish", "address": address, **login, **more}


def agent(name: str = "fence_ipmilan", **options: str) -> dict[str, object]:
    login = {} if name == "fence_aws" else {"username": "u", "password": "p"}
    said = {**login, **options}
    return {"method": "agent", "agent": name, "options": said}


SYSTEM = "/redfish/v1/Systems/1"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (redfish("https://10.0.0.1"), redfish("https://10.0.0.1/")),
        (redfish("https://10.0.0.1"), redfish("https://10.0.0.1:443")),
        (redfish("https://10.0.0.1"), redfish("http://10.0.0.1")),
        (redfish("https://10.0.0.1"), redfish("https://10.1")),
        (redfish("https://10.0.0.1"), redfish("https://[::ffff:10.0.0.1]")),
        (redfish("https://[fd00::1]"), redfish("https://[fd00:0:0:0:0:0:0:1]")),
        (redfish("https://10.0.0.1"), redfish("https://10.0.0.1/redfish/v1")),
        (redfish("https://10.0.0.1/"), redfish("https://10.0.0.1//redfish/")),
        (redfish("https://bmc.example"), redfish("https://BMC.example")),
        (redfish("https://bmc.example"), redfish("https://bmc.example.")),
        (redfish("https://10.0.0.1"), redfish("https://10.0.0.1", system=SYSTEM)),
        (
            redfish("https://10.0.0.1", system=SYSTEM),
            redfish("https://10.0.0.1", system=SYSTEM + "/"),
        ),
        (agent(ip="10.0.0.1"), agent(ip="10.0.0.1")),
        (agent(ip="10.0.0.1"), agent(ip="10.0.0.1", lanplus="1")),
        (agent(ip="10.0.0.1"), agent(ipaddr="10.0.0.1")),
        (agent(ip="10.0.0.1"), agent(ip="10.0.0.1", ipport="623")),
        (agent(ip="10.0.0.1"), agent("/usr/sbin/fence_ipmilan", ip="10.0.0.1")),
        (agent(ip="10.0.0.1"), agent(ip="10.0.0.1", username="u2")),
        (agent(ip="10.0.0.1"), agent(ip="10.0.0.1", power_wait="4")),
        (agent(ip="10.0.0.1"), agent("fence_ipmilanplus", ip="10.0.0.1")),
        (agent(ip="10.0.0.1"), agent(plug="10.0.0.1", port_as_ip="1")),
        # It knows no plugs, so that they tell nothing apart.
        (agent(ip="10.0.0.1", plug="c1"), agent(ip="10.0.0.1", plug="c2")),
        (
            agent("fence_virsh", ip="kvm", plug="vm1"),
            agent("fence_virsh", ip="KVM.", port="vm1"),
        ),
        (
            agent("fence_virsh", ip="kvm", plug="vm1"),
            agent("fence_virsh", ip="kvm"),
        ),
        (
            agent("fence_aws", plug="i-1", region="r"),
            agent("fence_aws", port="i-1", region="r", power_timeout="9"),
        ),
        (redfish("https://10.0.0.1"), agent(ip="10.0.0.1")),
        (
            redfish("https://10.0.0.1", system=SYSTEM),
            agent("fence_redfish", ip="10.0.0.1", systems_uri=SYSTEM),
        ),
    ],
)
def test_one_device_however_it_is_spelt(fencing, one, other):
    peers.program("fence_ipmilan", "fence-agents")
    for first, second in ((one, other), (other, one)):
        found = fencing({"c1": first, "c2": second, "c3": redfish("https://192.0.2.9")})
        assert found.unusable == {
            "c1": "has the same device as host c2",
            "c2": "has the same device as host c1",
        }
        assert found.methods == {"c3": "redfish"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (redfish("https://10.0.0.1"), redfish("https://10.0.0.2")),
        (redfish("http://10.0.0.1:8001"), redfish("http://10.0.0.1:8002")),
        (redfish("https://proxy/bmc1"), redfish("https://proxy/bmc2/redfish/v1")),
        (
            redfish("https://10.0.0.1", system=SYSTEM),
            redfish("https://10.0.0.1", system="/redfish/v1/Systems/2"),
        ),
        (agent(ip="10.0.0.1", ipport="6230"), agent(ip="10.0.0.1", ipport="6231")),
        (
            agent("fence_virsh", ip="kvm", plug="vm1"),
            agent("fence_virsh", ip="kvm", plug="vm2"),
        ),
        (
            agent("fence_apc", ip="pdu", plug="1", switch="1"),
            agent("fence_apc", ip="pdu", plug="1", switch="2"),
        ),
        (
            agent("fence_aws", plug="i-1", region="r"),
            agent("fence_aws", plug="i-2", region="r"),
        ),
    ],
)
def test_two_devices(fencing, one, other):
    peers.program("fence_ipmilan", "fence-agents")
    assert fencing({"c1": one, "c2": other}).with_device == ["c1", "c2"]


# What the device says.

_ROOT = {
    "Id": "RootService",
    "Name": "root",
    "RedfishVersion": "1.6.0",
    "Systems": {"@odata.id": "/redfish/v1/Systems"},
}


class Bmc(http.server.ThreadingHTTPServer):
    """:ivar says: what it says of each system. :ivar orders: what it was told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.says: dict[str, dict[str, object]] = {}
        self.orders: list[str] = []

    def address(self, name: str = "127.0.0.1") -> str:
        return f"http://{name}:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Bmc

    def do_GET(self) -> None:
        path = self.path.rstrip("/")
        system = path.rpartition("/")[2]
        if path == "/redfish/v1":
            self._answer(_ROOT)
        elif system in self.server.says:
            self._answer(self._system(path, self.server.says[system]))
        else:
            self._answer({}, 404)

    @staticmethod
    def _system(path: str, said: dict[str, object]) -> dict[str, object]:
        reset = {
            "target": f"{path}/Actions/ComputerSystem.Reset",
            "ResetType@Redfish.AllowableValues": ["ForceOff", "On"],
        }
        actions = {"#ComputerSystem.Reset": reset}
        base = {"Id": "1", "Name": "n", "PowerState": "On", "Actions": actions}
        return {**base, **said}

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if "Reset" in self.path:
            system = self.path.split("/")[4]
            self.server.orders.append(system)
            self.server.says[system]["PowerState"] = "Off"
        self._answer({}, 200 if "Reset" in self.path else 404)

    def _answer(self, body: object, code: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bmc() -> Iterator[Bmc]:
    with Bmc() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def _of(bmc: Bmc, system: str, name: str = "127.0.0.1", **more: str):
    path = f"/redfish/v1/Systems/{system}"
    return redfish(bmc.address(name), system=path, **more)


def test_one_machine_behind_two_systems_is_nobodys_proof(bmc, fencing):
    """Two addresses of one BMC, say: what they say of the machine is the same."""
    same = {"UUID": "7d1c4e9b-02f6-4a85-9c1b-7d20f5a86300", "SerialNumber": "CZ1"}
    bmc.says = {"1": dict(same), "2": dict(same, UUID=same["UUID"].upper()), "3": {}}
    hosts = {"c1": _of(bmc, "1"), "c2": _of(bmc, "2"), "c3": _of(bmc, "3")}
    fences = fencing(hosts, Deadlines(0.5, 3))
    broken = fences.broken(1)
    assert broken.keys() == {"c1", "c2"}
    assert "its device is also that of c2 (by UUID 7d1c" in broken["c1"]
    for host in ("c1", "c2"):
        assert fences.power_off(host).power is Power.UNKNOWN
        assert fences.power(host).power is Power.UNKNOWN
    assert bmc.orders == []
    assert fences.power_off("c3").power is Power.OFF


def test_one_device_by_two_names(bmc, fencing):
    """As c1's line in the file is a copy of c2's, and only the address is spelt anew.

    It says nothing of its machine; but where it answers is the same place."""
    bmc.says = {"1": {}}
    hosts = {"c1": _of(bmc, "1"), "c2": _of(bmc, "1", "localhost")}
    fences = fencing(hosts, Deadlines(0.5, 3))
    assert fences.broken(1).keys() == {"c1", "c2"}
    report = fences.power_off("c1")
    assert report.power is Power.UNKNOWN
    assert "its device is also that of c2 (by the device's address)" in report.detail
    assert bmc.orders == []


def test_a_host_that_is_off_is_not_proven_by_anothers_device(bmc, fencing):
    """The power was cut before anybody knew; "off" is then still no proof."""
    bmc.says = {"1": {"PowerState": "Off"}}
    hosts = {"c1": _of(bmc, "1"), "c2": _of(bmc, "1", "localhost")}
    fences = fencing(hosts, Deadlines(0.5, 3))
    fences.power("c2")
    assert fences.power("c1").power is Power.UNKNOWN
    assert fences.power("c2").power is Power.UNKNOWN


def test_it_says_that_it_is_another_host(bmc, fencing):
    bmc.says = {"1": {"HostName": "C2.example.org"}, "2": {"HostName": "rack3-7"}}
    hosts = {"c1": _of(bmc, "1"), "c3": _of(bmc, "2", hostname="rack3-7")}
    fences = fencing(hosts, Deadlines(0.5, 3))
    report = fences.power_off("c1")
    assert report.power is Power.UNKNOWN
    assert "its device says that it switches c2.example.org" in report.detail
    assert bmc.orders == []
    assert fences.power_off("c3").power is Power.OFF


def test_its_name_as_nova_s_hypervisor_tells_it(bmc, fencing):
    """[DEFAULT] host of nova.conf need not be the machine's own name."""
    bmc.says = {"1": {"HostName": "rack3-7"}}
    fences = fencing({"c1": _of(bmc, "1")}, Deadlines(0.5, 3))
    assert fences.power("c1").power is Power.UNKNOWN
    fences.hear_names({"c1": "rack3-7.example.org"})
    assert fences.power("c1").power is Power.ON
    fences.hear_names({"c1": "rack3-8.example.org"})
    assert fences.power("c1").power is Power.UNKNOWN


@pytest.mark.parametrize("name", ["c1", "C1", "c1.example.org", "", None, "localhost"])
def test_its_own_name_in_other_forms(bmc, fencing, name):
    bmc.says = {"1": {"HostName": name}}
    fences = fencing({"c1": _of(bmc, "1")}, Deadlines(0.5, 3))
    assert fences.power("c1").power is Power.ON


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("a-1", "S1"), ("a-1", "S1"), True),
        (("a-1", ""), ("A-1", "S1"), True),
        (("", "s1"), ("b-2", "S1 "), True),
        (("a-1", "S1"), ("b-2", "S1"), False),
        # A maker that gives one UUID to all.
        (("a-1", "S1"), ("a-1", "S2"), False),
        (("03000200-0400-0500-0006-000700080009", ""),) * 2 + (False,),
        (("00000000-0000-0000-0000-000000000000", "Not Specified"),) * 2 + (False,),
        (("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "0000"),) * 2 + (False,),
        ((["a-1"], 7), (["a-1"], 7), False),
        ((None, None), (None, None), False),
    ],
)
def test_what_makes_a_machine(one, other, same):
    first, second = (MachineIdentity.said(*said, None) for said in (one, other))
    assert bool(first.is_also(second)) is same


def test_a_device_that_was_exchanged_is_not_held_against_others():
    ledger = Ledger()
    machine = MachineIdentity.said("a-1", "S1", None)
    assert ledger.objection(("c1", 0), machine, "c1") == ""
    assert "also that of c1" in ledger.objection(("c2", 0), machine, "c2")
    assert (
        ledger.objection(("c1", 0), MachineIdentity.said("b-2", "S2", None), "c1") == ""
    )
    assert ledger.objection(("c2", 0), machine, "c2") == ""


def test_many_hosts_behind_one_address():
    devices = {
        f"c{n}": [DevicePlace(("vcenter", "", ""), f"vm{n}")] for n in range(500)
    }
    assert identity.shared(devices) == {}
    devices["x"] = [None, DevicePlace(("vcenter", "", ""))]
    assert len(identity.shared(devices)) == 501
