# SPDX-License-Identifier: Apache-2.0
"""Show nova-ha-scheduler at work in a real Nova.

Starts Nova (API, scheduler, conductor), Placement and eight fake computes in this
process, on loopback ports, and tells step by step what the plugin does there, and at
last what the evacuation trigger does, with real Redfish devices beside it.
With --keep, a playground stays up after that: the cloud, the devices, the trigger, and
commands that let a host die and come back.
With --real, it is another story, on libvirt and QEMU: a guest's own screen before and
after a power cut, with nova-ha-scheduler and without (demo/real.py).
Everything is taken down at the end, and no file stays behind. Exits with 0 if every
step came true and with 1 if one did not; then Nova's log is kept.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="after the last step, a playground stays up until you end it: it tells "
        "how to kill a host, and how to watch its recovery",
    )
    parser.add_argument(
        "--play",
        action="store_true",
        help="the playground of --keep at once, without the story before it",
    )
    parser.add_argument(
        "--real",
        action="store_true",
        help="on libvirt, QEMU, glance, neutron and cinder; only as root",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        metavar="DIR",
        help="a new or empty directory for databases, nova.conf, nova.log and disks; "
        "it is left as it is (default: a temporary one, which is removed)",
    )
    options = parser.parse_args(arguments)
    state = options.state_dir
    if options.real and (state or options.keep or options.play):
        parser.error("--real: it has no playground and no --state-dir")
    if state and state.exists() and not (state.is_dir() and not any(state.iterdir())):
        parser.error(f"--state-dir {state}: not an empty directory")
    return options


def show(state: Path, options: argparse.Namespace) -> bool:
    """Bring the cloud up, play the story, take it down; whether all came true."""
    start = time.monotonic()
    # First of all imports: it prepares the process for Nova.
    from tests.lib.cloud import Cloud

    from demo import layout, playground, story, trigger  # isort: skip
    from demo.admin import Admin
    from demo.tell import Tell

    tell = Tell()
    tell.title("nova-ha-scheduler in a real Nova (a few seconds to start it) ...")
    with Cloud(
        state,
        {"cell1": layout.HOSTS},
        layout.ZONE_OF,
        layout.PLUGIN_ON,
        size=layout.SIZE,
        sizes=layout.SIZES,
    ) as cloud:
        scene = story.Scene(cloud, Admin(cloud), tell)
        trigger.add()
        came_true = story.STORY.play(scene, ("tagged",) if options.play else None)
        tell.summary(time.monotonic() - start)
        if options.keep or options.play:
            playground.stay(scene, cloud.state_dir / "playground")
    return came_true


def show_real() -> int:
    """The same on real parts; the exit code."""
    import tests.lib.cloud as _  # noqa: F401  (prepares for Nova)

    from demo import real  # isort: skip

    from tests.lib.errors import ProgramError

    try:
        return 0 if real.show() else 1
    except ProgramError as error:
        print(error)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; all of it is down.")
        return 130


def interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    options = parse()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    if options.real:
        return show_real()
    state = options.state_dir or Path(tempfile.mkdtemp(prefix="nova-ha-demo-"))
    keep_files = bool(options.state_dir)
    try:
        came_true = show(state, options)
    except KeyboardInterrupt:
        print("\nInterrupted; the cloud is down.")
        return 130
    except BaseException:
        keep_files = True
        raise
    else:
        keep_files |= not came_true
        return 0 if came_true else 1
    finally:
        if keep_files:
            print(f"Nova's log, nova.conf and all disks: {state}")
        else:
            shutil.rmtree(state, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
