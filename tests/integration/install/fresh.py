# SPDX-License-Identifier: Apache-2.0
"""The package as it is built, and environments that have nothing else.

What only the development environment has is not in them, and neither are the versions
of constraints/: they are what whoever installs the package today gets.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).parents[3]
PROJECT = "nova-ha-scheduler"
EVERY_EXTRA = "evacuator,mysql,postgresql,etcd,redis"
"""But for nova, which no host of the trigger needs."""

_VERSIONS = [f"3.{minor}" for minor in range(11, 20)]
"""Of Python, from the oldest that is supported."""


def copy_of_tree(folder: Path) -> Path:
    """The source as in a zip or from ``git archive``: without .git, and without what
    git would not know."""
    ignored = (TREE / ".gitignore").read_text().split()
    names = [name.rstrip("/") for name in ignored]
    copy = folder / "source"
    shutil.copytree(TREE, copy, ignore=shutil.ignore_patterns(".git", *names))
    return copy


@dataclass(frozen=True)
class Built:
    """:ivar source: the copy that both were made from."""

    source: Path
    wheel: Path
    sdist: Path


def build(folder: Path) -> Built:
    """As docs/releasing.md says, the wheel from the sdist; with the setuptools that is
    here, which saves two environments."""
    source = copy_of_tree(folder)
    run([sys.executable, "-m", "build", "-n", "-o", folder / "dist", source])
    (wheel,), (sdist,) = (folder.glob(f"dist/*{end}") for end in (".whl", ".tar.gz"))
    return Built(source, wheel, sdist)


def environment() -> dict[str, str]:
    """Ours, but for what would change pip's choice, or what Python does."""
    dropped = ("PIP_CONSTRAINT", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if k not in dropped}
    # Else pip says what is newer than it among what a test reads.
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def run(command: list[str | Path], code: int = 0) -> str:
    """Run a program from nowhere in particular.

    :param code: what it has to end with.
    :returns: all that it says.
    """
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        cwd="/",
        env=environment(),
    )
    assert done.returncode == code, f"{command} ended with {done.returncode}:\n" + (
        done.stdout
    )
    return done.stdout


def pythons() -> dict[str, Path]:
    """By version: the one that runs this. PYTHONS in the environment has others, each
    of which takes minutes: ``all`` that are here, or some (``3.12,3.13``)."""
    here = f"3.{sys.version_info[1]}"
    wanted = os.environ.get("PYTHONS") or here
    if wanted == "all":
        found = {version: _python(version) for version in _VERSIONS}
        return {version: path for version, path in found.items() if path}
    chosen = {}
    for version in wanted.split(","):
        path = _python(version)
        assert path, f"PYTHONS={wanted}: there is no whole Python {version} here"
        chosen[version] = path
    return chosen


def _python(version: str) -> Path | None:
    """One that has all that makes an environment; Debian's has venv in another package,
    and what pyenv puts into PATH is switched off unless somebody has chosen it."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = sorted(root.glob(f"versions/{version}.*/bin/python{version}"))
    if in_path := shutil.which(f"python{version}"):
        candidates.insert(0, Path(in_path))
    if version == f"3.{sys.version_info[1]}":
        candidates.insert(0, Path(sys.executable))
    return next(filter(_is_whole, candidates), None)


def _is_whole(python: Path) -> bool:
    command = [python, "-c", "import ensurepip, venv"]
    return subprocess.run(command, capture_output=True).returncode == 0


class Fresh:
    """A virtual environment with pip and nothing more."""

    def __init__(self, folder: Path, version: str, python: Path) -> None:
        self.version = version
        self.bin = folder / "bin"
        run([python, "-m", "venv", folder])
        self.python = self.bin / "python"

    def install(self, *what: str | Path) -> None:
        """With pip, from wherever it looks; of our own choice is nothing."""
        # What is run is compiled then; all of it would take longer.
        run([self.python, "-m", "pip", "install", "-q", "--no-compile", *what])

    def code(self, code: str, *arguments: str | Path) -> str:
        """Run a bit of Python. -P: nothing of it is looked for beside it."""
        return run([self.python, "-W", "ignore", "-P", "-c", code, *arguments])
