# SPDX-License-Identifier: Apache-2.0
"""What a server takes of Placement and requires of a host, by its flavor and image.

As nova.scheduler.utils.ResourceRequest translates them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from nova_ha_scheduler.cluster.providers import Portion
from nova_ha_scheduler.rules import booleans

Json = Mapping[str, Any]

_SPEC = re.compile(r"(resources|trait)([a-zA-Z0-9_-]{1,64})?:(.*)")
_HYPERTHREADING = "HW_CPU_HYPERTHREADING"
_DIGITS = 15


class Requirements:
    """
    :ivar resources: amounts by resource class, those of the portions among them.
    :ivar traits: what a host must have.
    :ivar forbidden: what it must not have.
    :ivar portions: groups of the request (``resources1:``, ``trait1:``).
    :ivar isolated: whether each portion is another provider's.
    :ivar flavor: the flavor that this is read from.
    :ivar properties: those of the image at the boot.

    :param found: the server, as ``GET /servers/detail`` shows it: sizes are whole
        numbers, extra specs and properties are words.
    """

    def __init__(self, found: Json) -> None:
        flavor, image = found["flavor"], found["image"] or {}
        self.flavor: Json = flavor
        self._specs: Mapping[str, str] = flavor["extra_specs"]
        self.properties: Json = image.get("properties") or {}
        self._disk = flavor["disk"] if found["image"] else 0
        self.forbidden = self._named("forbidden")
        self.traits = self._named("required") | self._implied()
        self.portions = tuple(self._portions())
        self.isolated = self._specs.get("group_policy") == "isolate"
        if self._asked("cpu_thread_policy") == "isolate":
            self.forbidden |= {_HYPERTHREADING}
        self.resources = {k: n for k, n in self._amounts().items() if n}

    def _asked(self, key: str, prefix: str = "hw") -> Any:
        """What the flavor says, or else the image."""
        said = self._specs.get(f"{prefix}:{key}")
        return self.properties.get(f"{prefix}_{key}") if said is None else said

    def _said(self, kind: str) -> Iterator[tuple[str | None, str, str]]:
        """The suffix, the name, and what is said of it."""
        for key, said in self._specs.items():
            match = _SPEC.fullmatch(key)
            if match and match[1] == kind:
                yield match[2], match[3], said

    def _named(self, word: str, group: str | None = None) -> frozenset[str]:
        found = self._said("trait")
        return frozenset(
            n for suffix, n, said in found if (suffix, said) == (group, word)
        )

    def _asked_for(self) -> dict[str | None, Counter[str]]:
        """The amounts that the flavor names, by suffix."""
        amounts: dict[str | None, Counter[str]] = defaultdict(Counter)
        for suffix, name, said in self._said("resources"):
            if _is_number(said.strip()):
                amounts[suffix][name] += int(said)
        return amounts

    def _portions(self) -> Iterator[Portion]:
        groups = self._asked_for()
        for suffix in sorted(filter(None, groups)):
            needs = {what: n for what, n in groups[suffix].items() if n}
            required = self._named("required", suffix)
            if needs:
                yield Portion(needs, required, self._named("forbidden", suffix))

    def _amounts(self) -> Counter[str]:
        amounts: Counter[str] = Counter()
        for some in self._asked_for().values():
            for name, amount in some.items():
                amounts[name] += amount  # also of 0, which overrides the flavor's
        for name, amount in self._cpus().items():
            amounts[name] = amount  # whatever else was said of them
        flavor, disk = self.flavor, self._disk + self.flavor["ephemeral"]
        disk += -(-(flavor["swap"] or 0) // 1024)
        if "VCPU" not in amounts and "PCPU" not in amounts:
            amounts["VCPU"] = flavor["vcpus"]
        for name, amount in (("MEMORY_MB", flavor["ram"]), ("DISK_GB", disk)):
            if name not in amounts:
                amounts[name] = amount
        for label in self._specs.get("hw:pmem", "").split(","):
            if name := re.sub(r"[^A-Z0-9]+", "_", label.strip().upper()):
                amounts[f"CUSTOM_PMEM_NAMESPACE_{name}"] += 1
        if self._encrypted:
            amounts["MEM_ENCRYPTION_CONTEXT"] = 1
        return amounts

    def _cpus(self) -> dict[str, int]:
        """Pinned ones are PCPU; one more where the emulator has its own."""
        policy, vcpus = self._asked("cpu_policy"), self.flavor["vcpus"]
        emulator = self._specs.get("hw:emulator_threads_policy") == "isolate"
        if policy == "dedicated":
            return {"PCPU": vcpus + emulator}
        if policy != "mixed":
            return {}
        mask = self._specs.get("hw:cpu_dedicated_mask")
        realtime = booleans.read(self._specs.get("hw:cpu_realtime"))
        if not mask and realtime:
            image = self.properties.get("hw_cpu_realtime_mask")
            mask = image or self._specs.get("hw:cpu_realtime_mask")
        pinned = len(_cpus_in(mask, vcpus)) if mask else vcpus if realtime else 0
        return {"VCPU": vcpus - pinned, "PCPU": pinned + emulator}

    @property
    def _encrypted(self) -> bool:
        return bool(booleans.read(self._asked("mem_encryption")))

    def _implied(self) -> frozenset[str]:
        """Traits for what needs the host's support."""
        found: set[str | None] = set()
        if self._encrypted:
            model = self._asked("mem_encryption_model") or "amd-sev"
            found.add(f"HW_CPU_X86_{model.upper().replace('-', '_')}")
        if version := self._asked("tpm_version"):
            crb = self._asked("tpm_model") == "tpm-crb"
            found.add(f"COMPUTE_SECURITY_TPM_{'CRB' if crb else 'TIS'}")
            found.add(f"COMPUTE_SECURITY_TPM_{version.replace('.', '_')}")
        # Nova knows a default, too; and an older one knows none of this.
        if version and (secret := self._specs.get("hw:tpm_secret_security")):
            found.add(f"COMPUTE_SECURITY_TPM_SECRET_SECURITY_{secret.upper()}")
        if booleans.read(self._asked("virtio_packed_ring")):
            found.add("COMPUTE_NET_VIRTIO_PACKED")
        if self._asked("sound_model") == "virtio":
            found.add("COMPUTE_SOUND_MODEL_VIRTIO")
        if booleans.read(self._asked("ephemeral_encryption")):
            found.add("COMPUTE_EPHEMERAL_ENCRYPTION")
            if way := self._asked("ephemeral_encryption_format"):
                found.add(f"COMPUTE_EPHEMERAL_ENCRYPTION_{way.upper()}")
        if self._asked("secure_boot", "os") == "required":
            found.add("COMPUTE_SECURITY_UEFI_SECURE_BOOT")
        mode = self._asked("maxphysaddr_mode")
        found.add(_ADDRESS_SPACE.get(mode))
        stateless = self.properties.get("hw_firmware_stateless")
        uefi = self.properties.get("hw_firmware_type") == "uefi"
        if uefi and booleans.read(stateless):
            found.add("COMPUTE_SECURITY_STATELESS_FIRMWARE")
        if self._asked("pci_numa_affinity_policy") == "socket":
            found.add("COMPUTE_SOCKET_PCI_NUMA_AFFINITY")
        if self._asked("cpu_thread_policy") == "require":
            found.add(_HYPERTHREADING)
        return frozenset(filter(None, found))


_ADDRESS_SPACE = {
    "passthrough": "COMPUTE_ADDRESS_SPACE_PASSTHROUGH",
    "emulate": "COMPUTE_ADDRESS_SPACE_EMULATED",
}


def _cpus_in(mask: str, vcpus: int) -> set[int]:
    """'0-3,^2': 0, 1 and 3; one that begins with an exclusion is of all.

    None of what cannot be read, with which Nova boots no server.
    """
    parts = [part.strip() for part in mask.split(",") if part.strip()]
    if parts and parts[0].startswith("^"):
        parts.insert(0, f"0-{vcpus - 1}")
    inside: set[int] = set()
    outside: set[int] = set()
    for part in parts:
        first, _, last = part.lstrip("^").partition("-")
        if not _is_number(first) or not _is_number(last or first):
            return set()
        # No more than there are: the words may be an image's, which a tenant writes.
        cpus = range(int(first), min(int(last or first), vcpus - 1) + 1)
        (outside if part.startswith("^") else inside).update(cpus)
    return inside - outside


def _is_number(said: str) -> bool:
    """Whether it is one that Python reads."""
    return said.isdecimal() and len(said) <= _DIGITS
