# SPDX-License-Identifier: Apache-2.0
"""The commands in the real python-openstackclient, and what bash completes of both."""

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import osc
from tests.unit.cli.conftest import Site

BIN = Path(sys.executable).parent

OURS = {entry.name for entry in metadata.entry_points(group="nova_ha.cli")}

# What bash-completion brings; it need not be installed here.
WORDS = """
_get_comp_words_by_ref() {
    words=("${COMP_WORDS[@]}") cur="${COMP_WORDS[COMP_CWORD]}"
    prev="${COMP_WORDS[COMP_CWORD-1]}"
}
"""


def openstack(
    *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The client, without anybody's login."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
    return subprocess.run(
        [BIN / "openstack", *arguments],
        capture_output=True,
        text=True,
        env={**clean, "PYTHONWARNINGS": "ignore", **(env or {})},
        timeout=300,
    )


def test_each_command_is_there_once_more() -> None:
    """By its words, and as the same code."""
    found = metadata.entry_points(group=osc.GROUP)
    assert {entry.name for entry in found} == {f"ha_{name}" for name in OURS}
    for entry in found:
        name = entry.name.removeprefix("ha_").replace("-", "_")
        assert entry.value == f"nova_ha_scheduler.cli.osc:{name}"
    with pytest.raises(AttributeError):
        _ = osc.no_such_command


def test_they_do_the_same(site: Site) -> None:
    site.run("pause", "--reason", "a test", "--by", "me")
    config = f"--nova-ha-config-file={site.conf}"
    env = {"OS_CLIENT_CONFIG_FILE": os.environ["OS_CLIENT_CONFIG_FILE"]}
    found = openstack(config, "ha", "history", "events", "-f", "json", env=env)
    assert found.returncode == 0, found.stderr
    assert found.stdout == site.run("history", "events", "-f", "json").out
    assert '"pause.begun"' in found.stdout
    # Their exit codes, too.
    found = openstack(config, "ha", "health", env=env)
    assert found.returncode == site.run("health").code == 2
    assert "NOT PROTECTING: no trigger is active" in found.stdout


def test_their_help() -> None:
    found = openstack("ha", "history", "purge", "--help")
    words = " ".join(found.stdout.split())
    assert "usage: openstack ha history purge" in words
    assert exits.sentence("history purge") in words
    found = openstack("ha", "nonsense")
    assert found.returncode == 2


def test_another_command_imports_none_of_them() -> None:
    """The client looks at each command whenever it starts."""
    code = (
        "import sys; from openstackclient.shell import main; main(['module', 'list']);"
        "print([name for name in sys.modules if name.startswith('nova_ha_scheduler')])"
    )
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True
    )
    (line,) = (line for line in found.stdout.splitlines() if line.startswith("["))
    known = {"nova_ha_scheduler", "nova_ha_scheduler.cli", "nova_ha_scheduler.cli.osc"}
    assert set(line.strip("[]").replace("'", "").split(", ")) == known


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("program", "before"), [("nova-ha", ()), ("openstack", ("ha",))]
)
def test_bash_completes(program: str, before: tuple[str, ...], tmp_path: Path) -> None:
    script = tmp_path / "completion"
    made = subprocess.run(
        [BIN / program, "complete"], capture_output=True, text=True, check=True
    )
    script.write_text(made.stdout)
    function = f"_{program.replace('-', '_')}"

    def completed(*words: str) -> list[str]:
        line = " ".join(f"'{word}'" for word in (program, *before, *words))
        code = (
            f"{WORDS} source {script}; COMP_WORDS=({line}); "
            f"COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); {function}; "
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        return subprocess.run(
            ["bash", "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()

    assert {name.split("_")[0] for name in OURS} <= {*completed("")}
    assert completed("hist") == ["history"]
    assert completed("history", "") == ["events", "list", "purge", "show"]
    assert completed("confirm-f") == ["confirm-fenced"]
    assert completed("history", "purge", "--old") == ["--older-than"]
    assert "--confirm-fenced" in completed("evacuate", "--")
