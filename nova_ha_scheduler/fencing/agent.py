# SPDX-License-Identifier: Apache-2.0
"""The method ``agent``: any ClusterLabs fence agent, over its standard input.

As FenceAgentAPI.md of the fence-agents project has it: ``key=value`` lines; ``off``
returns 0 on success; ``status`` 0 for on, 2 for off, 1 if the device could not be
asked. 2 is also what some agents give for bad options, and Python for an agent that it
cannot read: off counts only if the agent says ``Status: OFF`` as well, as they all do,
on a line of its own, and says nothing else of the kind.

Agents ignore options that they do not know, with a warning that quotes the line,
password and all. So names are compared with the agent's own metadata at start-up, and
all output is scrubbed.
"""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import (
    Driver,
    FenceError,
    FencingFileError,
    RefusedError,
    UnclearError,
    identity,
)
from nova_ha_scheduler.fencing.identity import DevicePlace
from nova_ha_scheduler.fencing.secrets import Secret, scrub
from nova_ha_scheduler.programs import TooMuchOutput, run

SEARCH_PATH = "/usr/sbin:/usr/local/sbin:/sbin"
"""Where agents are looked for besides PATH, which often lacks these for a service."""

STATUS = {0: Power.ON, 2: Power.OFF}
SAYS = re.compile(
    r"^[ \t]*status:[ \t]*(on|off)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
"""A line of its own: what else an agent says may quote anybody."""

REFUSES = re.compile(
    r"(log-?in|authenti\w+|authori[sz]ation) (has )?"
    r"(failed|failure|denied|incorrect|error)"
    r"|(invalid|incorrect|wrong|bad) (credential|log-?in|user ?name|user|password)"
    r"|(access|permission) (is |was )?denied|unauthori[sz]ed|not authori[sz]ed|\b401\b",
    re.IGNORECASE,
)
"""What agents say, or the tools that they call, of refused credentials, if they do."""

METADATA_SECONDS = 30.0
METADATA_BYTES = 1024 * 1024
OUR_OPTIONS = frozenset({"action", "option", "help", "version"})

_SPELT = {"ipaddr": "ip", "port": "plug", "nodename": "plug", "module_name": "plug"}
"""Old names of options, where an agent's metadata does not say what replaces them."""

_PARTS = ("plug", "uuid", "systems_uri", "target", "switch")
"""Options that say which of several machines behind one address is meant."""

_BESIDE = re.compile(
    "user|login|timeout|wait|delay|retry|sleep|verbose|debug|quiet|_path$|separator|"
    "sudo|prompt|privlvl|cipher|lanplus|ssl|tls|ssh|secure|identity_file|method|"
    "inet._only|version"
)
"""Options that say how a device is spoken to, not which one it is."""


class Agent(Driver):
    """Keys: ``agent``, a name such as fence_ipmilan or a path; ``options`` for it."""

    METHOD = "agent"
    REQUIRED = frozenset({"agent", "options"})

    def prepare(self) -> object:
        self.name: str = self.settings["agent"]
        self.options: Mapping[str, str | Secret] = self.settings["options"]
        self._secrets = [v for v in self.options.values() if isinstance(v, Secret)]
        if "/" in self.name and not os.path.isabs(self.name):
            raise FencingFileError("agent: a name or an absolute path is needed")
        folders = (*os.environ.get("PATH", "").split(":"), *SEARCH_PATH.split(":"))
        search = os.pathsep.join(filter(os.path.isabs, folders))
        path = shutil.which(self.name, path=search)
        if path is None or not os.path.basename(path).startswith("fence_"):
            raise FencingFileError(f"agent: there is no fence agent {self.name}")
        self._path = path
        found = metadata(self._path)
        self._validate(found.options, found.actions)
        return self._device(found)

    def _device(self, found: "AgentMetadata") -> DevicePlace:
        """The address and the plug, or all that says which device it is."""
        said: dict[str, str] = {}
        for key, value in self.options.items():
            name = key.replace("-", "_")
            name = found.replaced.get(name, _SPELT.get(name, name))
            if isinstance(value, str):
                said[name] = value
        plug_is_address = found.plug_is_address and _is_set(said.get("port_as_ip"))
        if found.plug_is_address:
            plug = said.pop("plug", None)
            said["ip"] = plug if plug and plug_is_address else said.get("ip", "")
        part = identity.parts(said.get(name) for name in _PARTS)
        if address := said.get("ip"):
            port = said.get("ipport", "")
            port = "" if port == found.usual_port else port
            return DevicePlace.at(address, port, said.get("redfish_uri", ""), part)
        agent = os.path.basename(os.path.realpath(self._path))
        rest = {k: v for k, v in said.items() if k not in _PARTS}
        which = frozenset(
            (k, v) for k, v in rest.items() if v and not _BESIDE.search(k)
        )
        return DevicePlace((agent, which), part)

    def _validate(self, options: frozenset[str], actions: frozenset[str]) -> None:
        for key, value in self.options.items():
            name = key.replace("-", "_")
            if name not in options or name in OUR_OPTIONS:
                raise FencingFileError(f"options: {self.name} has no option {key}")
            if name == "missing_as_off" and _is_set(value):
                raise FencingFileError(
                    f"options: with {key}, a plug that does not exist is off; only a "
                    "power-off that was seen is proof"
                )
        if not {"off", "status"} <= actions:
            raise FencingFileError(
                f"agent: {self.name} cannot tell the power state, so that a power-off "
                "could never be believed"
            )
        # FenceAgentAPI: "Fabric fencing must never have a reboot operation".
        if "reboot" not in actions:
            raise FencingFileError(
                f"agent: {self.name} cuts a host off from its storage or network; "
                "only a power-off is proof"
            )

    def state(self, connection: Any) -> Power:
        code, output = self._run("status", self.limits.request)
        power = STATUS.get(code)
        said = {word.casefold() for word in SAYS.findall(output)}
        what = f"{self.name} cannot tell the power state"
        if power is None:
            raise _failed(what, code, output)
        if power is Power.OFF and said != {"off"}:
            raise FenceError(f"{what}: {_told(code, output)}")
        return power

    def ask_off(self, connection: Any, seconds: float) -> None:
        code, output = self._run("off", seconds)
        if code != 0:
            raise _failed(f"{self.name} failed to power off", code, output)

    def _run(self, action: str, seconds: float) -> tuple[int, str]:
        lines = [f"action={action}"]
        for key, value in self.options.items():
            text = value.reveal() if isinstance(value, Secret) else value
            lines.append(f"{key}={text}")
        try:
            code, output = run([self._path], seconds, "\n".join(lines) + "\n")
        except subprocess.TimeoutExpired:
            raise FenceError(
                f"{self.name} action={action} was stopped: no answer within "
                f"{seconds:g} s"
            ) from None
        except TooMuchOutput as error:
            raise FenceError(
                f"{self.name} action={action} was stopped: {error}"
            ) from None
        except OSError as error:
            raise FenceError(f"{self.name} cannot be run: {error.strerror}") from None
        return code, scrub(output, self._secrets)


def _failed(what: str, code: int, output: str) -> FenceError:
    """An agent says neither on nor off. Most of them say the same of a device that
    refuses the credentials, and of one that does not answer."""
    kind = RefusedError if REFUSES.search(output) else UnclearError
    return kind(f"{what}: {_told(code, output)}")


def _told(code: int, output: str) -> str:
    """The agent's lines as one, without time stamps and its closing advice."""
    lines = (re.sub(r"^[\d-]+ [\d:,]+ +", "", line) for line in output.splitlines())
    kept = (line.strip() for line in lines if "use '-h' for usage" not in line)
    words = " ".join(line for line in kept if line)[:500]
    return f"{words} (exit code {code})" if words else f"exit code {code}"


def _is_set(value: str | Secret | None) -> bool:
    """As fencing.py reads an option that is there or is not."""
    return isinstance(value, str) and value.lower() not in (
        "0",
        "no",
        "off",
        "false",
        "",
    )


@dataclass(frozen=True)
class AgentMetadata:
    """What an agent says that it can do; names have underscores.

    :ivar replaced: the new name of each old option.
    :ivar plug_is_address: whether it only knows a plug as another spelling of an
        address.
    """

    options: frozenset[str]
    actions: frozenset[str]
    replaced: Mapping[str, str]
    plug_is_address: bool
    usual_port: str


@functools.lru_cache
def metadata(path: str) -> AgentMetadata:
    """What an agent says of itself.

    :raises FencingFileError: it does not say.
    """
    try:
        said = "action=metadata\n"
        _, output = run([path], METADATA_SECONDS, said, METADATA_BYTES)
        end = "</resource-agent>"
        start, stop = output.index("<?xml"), output.rindex(end) + len(end)
        root = ElementTree.fromstring(output[start:stop])
        options = {
            e.attrib["name"].replace("-", "_"): e for e in root.iter("parameter")
        }
        actions = frozenset(e.attrib["name"] for e in root.iter("action"))
    except (
        *(OSError, subprocess.TimeoutExpired, TooMuchOutput),
        *(ValueError, SyntaxError, KeyError),
    ) as error:
        raise FencingFileError(f"agent: {path} describes no options: {error}") from None
    return AgentMetadata(
        frozenset(options),
        actions,
        {
            old.replace("-", "_"): name
            for name, option in options.items()
            if (old := option.get("obsoletes")) and old.replace("-", "_") != name
        },
        "--port-as-ip" in _text(options.get("plug"), "shortdesc"),
        _default(options.get("ipport")),
    )


def _text(option: ElementTree.Element | None, name: str) -> str:
    found = option.findtext(name) if option is not None else None
    return found or ""


def _default(option: ElementTree.Element | None) -> str:
    content = option.find("content") if option is not None else None
    return content.get("default", "") if content is not None else ""
