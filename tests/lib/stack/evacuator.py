# SPDX-License-Identifier: Apache-2.0
"""nova-ha-evacuator beside the stack, as its operator runs it: one, or several."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import History
from nova_ha_scheduler.service import startup
from tests.lib.cloud.config import CLOUD_NAME, Conf, merge, render
from tests.lib.errors import ProgramError
from tests.lib.stack.programs import Program
from tests.lib.stack.site import Pace, Site, script

QUICK: Conf = {
    "detection": {
        "poll_interval": 1,
        "down_time": Pace().service_down_time,
        "clock_skew": 1,
    },
    "evacuation": {"follow_interval": 1, "settle": 5},
    "journal": {"lease_timeout": 5},
}
"""Options for a cloud whose hosts report every few seconds."""


class Trigger:
    """One configuration and journal, for any number of services on it.

    :ivar conf_file: nova-ha.conf; :ivar fencing_file: fencing.yaml.
    :ivar words: where it takes words.
    :ivar services: by name.
    :ivar environment: what its programs need beside the configuration.
    """

    def __init__(
        self,
        site: Site,
        folder: Path,
        clouds_yaml: Path,
        journal: str,
        broker: str,
        conf: Conf,
        fencing: Mapping[str, Any],
        pace: Conf = QUICK,
    ) -> None:
        """:param journal: the URL of its database.
        :param conf: over what is set here, section -> option -> value.
        :param fencing: the fencing file's contents.
        :param pace: what is set below conf; {}: what is so by default.
        """
        folder.mkdir()
        self.conf_file = folder / "nova-ha.conf"
        self.fencing_file = folder / "fencing.yaml"
        self.words = folder / "words"
        self.words.mkdir(0o730)
        self.services: dict[str, Program] = {}
        self._site = site
        self._folder = folder
        ours: Conf = {
            "DEFAULT": {"use_stderr": True},
            "cloud": {"name": CLOUD_NAME},
            "database": {"connection": journal},
            "fencing": {"config_file": self.fencing_file},
            "health": {"directory": folder},
            "words": {"directory": self.words},
            "oslo_messaging_notifications": {
                "transport_url": broker,
                "driver": "messagingv2",
            },
        }
        self.conf_file.write_text(render(merge(ours, pace, conf)))
        self.fencing_file.touch(0o600)
        self.fencing_file.write_text(json.dumps(fencing, indent=1))  # JSON is YAML
        self.environment = {"OS_CLIENT_CONFIG_FILE": str(clouds_yaml)}

    def service(
        self,
        name: str = "evacuator",
        prefix: Sequence[str] = (),
        follows: bool = False,
        conf: Conf | None = None,
    ) -> "Evacuator":
        """One nova-ha-evacuator, not started.

        :param prefix: a command that starts it, such as prlimit with its arguments.
        :param follows: it is ready as soon as it runs; else when it leads.
        :param conf: what this one has otherwise than nova-ha.conf says.
        """
        options = [f"--config-file={self.conf_file}"]
        if conf:
            own = self._folder / f"{name}.conf"
            own.write_text(render(conf))
            options.append(f"--config-file={own}")
        made = Evacuator(
            self._site,
            name,
            [*prefix, script("nova-ha-evacuator"), *options],
            self._folder,
            self.environment,
            follows,
        )
        self.services[name] = made
        return made

    def nova_ha(self, *arguments: str, code: int = 0) -> str:
        """Run the command line; return what it prints.

        :param code: the exit code that it has to end with.
        """
        command = [script("nova-ha"), f"--config-file={self.conf_file}", *arguments]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=120,
            env={**self._site.environment, **self.environment},
        )
        if done.returncode != code:
            said = f"{done.stdout}{done.stderr}"
            raise ProgramError(f"{' '.join(command)}: {done.returncode}\n{said}")
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """What a command of nova-ha prints with ``-f json``."""
        return json.loads(self.nova_ha(*arguments, "-f", "json"))

    def history(self) -> History:
        """The journal, read here: a program for each look would eat the machine."""
        arguments = [f"--config-file={self.conf_file}"]
        return History(Database(startup.load("nova-ha", arguments)))

    def shown(self, host: str | None = None) -> list[dict[str, Any]]:
        """``nova-ha history show`` of all recoveries, or a host's, newest first."""
        chosen = ["--host", host] if host else []
        found = self.json("history", "list", *chosen)
        return [self.json("history", "show", row["recovery"]) for row in found]

    def stop(self) -> None:
        """Kill all services."""
        for service in self.services.values():
            service.kill()


class Evacuator(Program):
    """One service."""

    def __init__(
        self,
        site: Site,
        name: str,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        follows: bool,
    ) -> None:
        super().__init__(
            name,
            command,
            site.logs,
            {**site.environment, **environment},
            lambda _: follows or self.leads,
        )
        self._clock = folder / f"{name}.clock"

    @property
    def leads(self) -> bool:
        """Whether it has said, since its start, that it is the active one."""
        return "This trigger is the active one" in self.logged

    def own_clock(self) -> None:
        """From the next start on, its wall clock can jump."""
        self.jump(0)
        path = [str(Path(__file__).with_name("clock")), self.environment["PYTHONPATH"]]
        self.environment["PYTHONPATH"] = os.pathsep.join(path)
        self.environment["STACK_CLOCK"] = str(self._clock)

    def jump(self, seconds: int) -> None:
        """Set its wall clock so far from this machine's, at once."""
        new = self._clock.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self._clock)
