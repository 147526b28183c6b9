# SPDX-License-Identifier: Apache-2.0
"""What the checks are asked about."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from nova_ha_scheduler.cluster.picture import Host, Picture, Scope, Server
from nova_ha_scheduler.doctor import checks
from nova_ha_scheduler.doctor.finding import Severity
from nova_ha_scheduler.doctor.nova_conf import NovaConf
from nova_ha_scheduler.doctor.subject import Subject
from nova_ha_scheduler.rules.terms import HostFacts

README = Path(__file__).parents[3] / "README.md"
ROOM = {"VCPU": 16, "MEMORY_MB": 65536}
PET = {"ha": "true"}

Conf = Callable[[str], NovaConf]


def recommended() -> str:
    """The README's block for the schedulers' nova.conf, and what docs/trigger.md says
    of the compute hosts'."""
    block = re.search(r"    \[filter_scheduler\]\n(?:    .*\n)+", README.read_text())
    assert block
    computes = "[DEFAULT]\nrpc_response_timeout = 40\n"
    computes += "[service_user]\nsend_service_user_token = true\n"
    return computes + "".join(line[4:] + "\n" for line in block[0].splitlines())


def host(name: str, *tags: str, **values: Any) -> Host:
    metadata = dict(tag.split("=", 1) for tag in tags)
    facts = HostFacts.of([metadata])
    return Host(name, facts, **{"capacity": ROOM, "updated_at": 990.0, **values})


A, HA, RESERVE = "storage_zone=nfs-a", "ha=true", "ha:reserved=true"


def cloud(*hosts: Host, servers: tuple[Server, ...] = ()) -> Picture:
    return Picture(
        1000.0,
        Scope(),
        {h.name: h for h in hosts},
        {s.uuid: s for s in servers},
    )


GOOD = (host("a1", A, HA), host("a2", A, HA), host("spare", A, HA, RESERVE))


def server(name: str, on: str, **values: Any) -> Server:
    return Server(name, name, on, **{"extra_specs": PET, **values})


def found(subject: Subject) -> dict[str, tuple[Severity, str]]:
    examined = checks.examine(subject)
    return {name: (f.severity, f.what) for name, f in examined.findings}


def with_hosts(subject: Subject, *hosts: Host, servers: Any = ()) -> Subject:
    methods = {h.name: "manual" for h in hosts}
    picture = cloud(*hosts, servers=tuple(servers))
    return replace(subject, picture=picture, methods=methods, flavors=(), aggregates=())
