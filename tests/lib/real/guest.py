# SPDX-License-Identifier: Apache-2.0
"""The guests' images: guest.S, assembled."""

import subprocess
from pathlib import Path

from tests.lib import packages

_BYTES = 1 << 20


def make(image: Path, busy: bool = False) -> None:
    """Write a raw disk image of a mebibyte that boots.

    :param busy: its guest writes memory all the while.
    :raises ProgramError: binutils is not there.
    """
    source, made = Path(__file__).with_name("guest.S"), image.with_suffix(".o")
    tools = {name: packages.find(name, "binutils") for name in ("as", "ld")}
    assemble = [tools["as"], "--32", "-o", str(made), str(source)]
    if busy:
        assemble += ["--defsym", "BUSY=1"]
    link = [tools["ld"], "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary"]
    for command in (assemble, [*link, "-e", "_start", "-o", str(image), str(made)]):
        subprocess.run(command, check=True)
    with image.open("r+b") as file:
        file.truncate(_BYTES)
    made.unlink()
