# SPDX-License-Identifier: Apache-2.0
"""A set-up in which there is nothing to find."""

from pathlib import Path

import pytest

from nova_ha_scheduler.doctor.nova_conf import NovaConf
from nova_ha_scheduler.doctor.subject import Flavor, SeenAggregate, Subject
from nova_ha_scheduler.evacuation.options import Options
from tests.unit.doctor.subjects import GOOD, PET, Conf, cloud, recommended, server


@pytest.fixture
def conf(tmp_path: Path) -> Conf:
    def make(text: str) -> NovaConf:
        path = tmp_path / "nova.conf"
        path.write_text(text)
        return NovaConf([str(path)])

    return make


@pytest.fixture
def good(conf: Conf) -> Subject:
    """A set-up without any finding, in which every check is made."""
    names = frozenset(h.name for h in GOOD)
    pets = SeenAggregate("pets", "1", {"ha": "true"}, names, mirrored=names)
    return Subject(
        Options(),
        cloud(*GOOD, servers=(server("db", "a1"),)),
        live=True,
        nova=conf(recommended()),
        flavors=(Flavor("pet", PET, {"VCPU": 4, "MEMORY_MB": 8192}), Flavor("plain")),
        aggregates=(pets,),
        methods=dict.fromkeys(names, "manual"),
        broken={},
        locked={},
    )
