# SPDX-License-Identifier: Apache-2.0
"""The filters with options of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nova.conf import CONF

from nova_ha_scheduler import conf
from tests.unit.admission import site


@pytest.fixture
def options(tmp_path: Path) -> Iterator[Callable[..., list[Any]]]:
    """Make the filters anew, with these options in [ha_scheduler]."""
    conf.register_opts(CONF)
    names: set[str] = set()

    def make(**values: Any) -> list[Any]:
        given = {"placement_prefilter": False, "admission": "enforce"} | values
        given.setdefault("admission_file", str(tmp_path / "admission.json"))
        names.update(given)
        for name, value in given.items():
            CONF.set_override(name, value, group="ha_scheduler")
        return site.all_filters()

    yield make
    for name in names:
        CONF.clear_override(name, group="ha_scheduler")
