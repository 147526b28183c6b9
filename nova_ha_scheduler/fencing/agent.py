# SPDX-License-Identifier: Apache-2.0
"""The method ``agent``: any ClusterLabs fence agent, over its standard input.

As FenceAgentAPI.md of the fence-agents project has it: ``key=value`` lines; ``off``
returns 0 on success; ``status`` 0 for on, 2 for off, 1 if the device could not be
asked. 2 is also what some agents give for bad options, and Python for an agent that it
cannot read: off counts only if the agent says ``Status: OFF`` as well, as they all do.

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
from typing import Any
from xml.etree import ElementTree

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import ConfigError, Driver, FenceError
from nova_ha_scheduler.fencing.secrets import Secret, scrub
from nova_ha_scheduler.programs import run

SEARCH_PATH = "/usr/sbin:/usr/local/sbin:/sbin"
"""Where agents are looked for besides PATH, which often lacks these for a service."""

STATUS = {0: Power.ON, 2: Power.OFF}
SAYS_OFF = re.compile(r"\bstatus:\s*off\b", re.IGNORECASE)
METADATA_SECONDS = 30.0
OUR_OPTIONS = frozenset({"action", "option", "help", "version"})


class Agent(Driver):
    """Keys: ``agent``, a name such as fence_ipmilan or a path; ``options`` for it."""

    METHOD = "agent"
    REQUIRED = frozenset({"agent", "options"})

    def prepare(self) -> object:
        self.name: str = self.settings["agent"]
        self.options: Mapping[str, str | Secret] = self.settings["options"]
        self._secrets = [v for v in self.options.values() if isinstance(v, Secret)]
        search = os.pathsep.join((os.environ.get("PATH", ""), SEARCH_PATH))
        path = shutil.which(self.name, path=search)
        if path is None or not os.path.basename(path).startswith("fence_"):
            raise ConfigError(f"agent: there is no fence agent {self.name}")
        self._path = path
        self._validate()
        return self.name, frozenset(self.options.items())

    def _validate(self) -> None:
        options, actions = metadata(self._path)
        for key in self.options:
            if key.replace("-", "_") not in options or key in OUR_OPTIONS:
                raise ConfigError(f"options: {self.name} has no option {key}")
        if not {"off", "status"} <= actions:
            raise ConfigError(
                f"agent: {self.name} cannot tell the power state, so that a power-off "
                "could never be believed"
            )
        # FenceAgentAPI: "Fabric fencing must never have a reboot operation".
        if "reboot" not in actions:
            raise ConfigError(
                f"agent: {self.name} cuts a host off from its storage or network; "
                "only a power-off is proof"
            )

    def state(self, connection: Any) -> Power:
        code, output = self._run("status", self.limits.request)
        power = STATUS.get(code)
        if power is None or (power is Power.OFF and not SAYS_OFF.search(output)):
            told = _told(code, output)
            raise FenceError(f"{self.name} cannot tell the power state: {told}")
        return power

    def ask_off(self, connection: Any, seconds: float) -> None:
        code, output = self._run("off", seconds)
        if code != 0:
            told = _told(code, output)
            raise FenceError(f"{self.name} failed to power off: {told}")

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
        except OSError as error:
            raise FenceError(f"{self.name} cannot be run: {error.strerror}") from None
        return code, scrub(output, self._secrets)


def _told(code: int, output: str) -> str:
    """The agent's lines as one, without time stamps and its closing advice."""
    lines = (re.sub(r"^[\d-]+ [\d:,]+ +", "", line) for line in output.splitlines())
    kept = (line.strip() for line in lines if "use '-h' for usage" not in line)
    words = " ".join(line for line in kept if line)[:500]
    return f"{words} (exit code {code})" if words else f"exit code {code}"


@functools.lru_cache
def metadata(path: str) -> tuple[frozenset[str], frozenset[str]]:
    """The options (with underscores) and actions that an agent says it has.

    :raises ConfigError: it does not say.
    """
    try:
        _, output = run([path], METADATA_SECONDS, "action=metadata\n")
        end = "</resource-agent>"
        start, stop = output.index("<?xml"), output.rindex(end) + len(end)
        root = ElementTree.fromstring(output[start:stop])
    except (OSError, subprocess.TimeoutExpired, ValueError, SyntaxError) as error:
        raise ConfigError(f"agent: {path} describes no options: {error}") from None
    options = (e.attrib["name"].replace("-", "_") for e in root.iter("parameter"))
    actions = (e.attrib["name"] for e in root.iter("action"))
    return frozenset(options), frozenset(actions)
