# SPDX-License-Identifier: Apache-2.0
"""What is said of a protected host that nothing can fence."""

from pathlib import Path

import pytest

from nova_ha_scheduler.cli import unfenced
from nova_ha_scheduler.service.startup import load

FILE = """
hosts:
  node1: {method: manual}
  node2: {method: nonsense}
"""


@pytest.mark.parametrize(
    ("host", "mode", "words"),
    [
        ("node1", 0o600, ""),
        ("node2", 0o600, "nothing can fence it: {0}: host node2: method nonsense"),
        ("node3", 0o600, "nothing can fence it: {0} has no entry for it"),
        ("node1", 0o644, "whether it can be fenced cannot be told: {0}"),
    ],
)
def test_why(tmp_path: Path, host: str, mode: int, words: str) -> None:
    file, conf = tmp_path / "fencing.yaml", tmp_path / "nova-ha.conf"
    file.write_text(FILE)
    file.chmod(mode)
    conf.write_text(f"[fencing]\nconfig_file = {file}\n")
    said = unfenced.why(load("test", [f"--config-file={conf}"]), host)
    assert words.format(file) in said
    assert bool(said) is bool(words)
    if "nothing" in said:
        assert "its servers wait for nova-ha confirm-fenced when it dies" in said
