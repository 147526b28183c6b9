# SPDX-License-Identifier: Apache-2.0
"""Start a cloud to play with: ``python -m tests.lib.cloud --hosts 4``."""

import argparse
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

from tests.lib.cloud import Cloud
from tests.lib.cloud.config import CLOUD_NAME


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.lib.cloud", description=__doc__)
    parser.add_argument(
        "--hosts", type=int, default=4, metavar="N", help="computes: host1 to hostN"
    )
    parser.add_argument(
        "--zones",
        type=int,
        default=0,
        metavar="N",
        help="deal the hosts in turn to storage zone1 to zoneN",
    )
    parser.add_argument(
        "--conf",
        action="append",
        default=[],
        metavar="SECTION.OPTION=VALUE",
        help="set an option of nova.conf; may be repeated",
    )
    parser.add_argument(
        "--state-dir", type=Path, help="an empty directory (a temporary one)"
    )
    parser.add_argument("--debug", action="store_true", help="log at DEBUG")
    return parser.parse_args(arguments)


def parse_conf(settings: list[str]) -> dict[str, dict[str, Any]]:
    """Return ``SECTION.OPTION=VALUE`` settings as a configuration."""
    conf: dict[str, dict[str, Any]] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        section, dot, option = name.partition(".")
        if not (equals and dot):
            raise SystemExit(f"--conf {setting}: not SECTION.OPTION=VALUE")
        conf.setdefault(section, {})[option] = value
    return conf


def main() -> None:
    options = parse()
    hosts = [f"host{number + 1}" for number in range(options.hosts)]
    zones = {
        host: f"zone{number % options.zones + 1}"
        for number, host in enumerate(hosts)
        if options.zones
    }
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with tempfile.TemporaryDirectory() as temporary:
        state = options.state_dir or Path(temporary)
        conf = parse_conf(options.conf)
        with Cloud(state, {"cell1": hosts}, zones, conf, debug=options.debug) as cloud:
            print(f"export OS_CLIENT_CONFIG_FILE={cloud.clouds_yaml}")
            print(f"export OS_CLOUD={CLOUD_NAME}")
            print(f"# log: {cloud.log_file}; Ctrl-C ends the cloud", flush=True)
            ended.wait()


if __name__ == "__main__":
    main()
