# SPDX-License-Identifier: Apache-2.0
"""Amounts of resources as people write them: '64 vCPU, 512 GiB, 2 CUSTOM_FPGA'."""

import re

_KNOWN = {
    "vcpu": ("VCPU", 1),
    "pcpu": ("PCPU", 1),
    "mib": ("MEMORY_MB", 1),
    "gib": ("MEMORY_MB", 1024),
    "tib": ("MEMORY_MB", 1024 * 1024),
    "gib disk": ("DISK_GB", 1),
    "tib disk": ("DISK_GB", 1024),
}

UNITS = "vCPU, PCPU, MiB, GiB, TiB, GiB disk, TiB disk, or a resource class"
"""What may stand behind a number."""

_AMOUNT = re.compile(r"(\d+)(?:-(\d+))? ?([A-Za-z]\w*(?: disk)?)")


def spread(text: str) -> tuple[str, int, int] | None:
    """The resource class of '2-8 GiB', and both numbers in its unit; None if it is
    nothing like that. Of '4 GiB', both are the same."""
    match = _AMOUNT.fullmatch(text.strip())
    unit = match and (_KNOWN.get(match[3].lower()) or _class(match[3]))
    if not match or not unit:
        return None
    name, factor = unit
    least, most = int(match[1]), int(match[2] or match[1])
    return (name, least * factor, most * factor) if least <= most else None


def _class(name: str) -> tuple[str, int] | None:
    """Nearly all have an underscore; GB and KIB are none."""
    known = "_" in name or name in ("VGPU", "PGPU", "FPGA")
    return (name, 1) if known and name.isupper() else None


def amounts(text: str) -> dict[str, int]:
    """By resource class.

    :raises ValueError: the sentence names what was not understood.
    """
    found: dict[str, int] = {}
    for part in text.split(","):
        amount = spread(part)
        if amount is None or amount[1] != amount[2] or amount[0] in found:
            raise ValueError(f"{part.strip()!r} is no amount (a number and {UNITS})")
        found[amount[0]] = amount[1]
    return found
