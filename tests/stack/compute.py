# SPDX-License-Identifier: Apache-2.0
"""nova-compute with our hypervisor: its arguments are the room, the host, Nova's."""

import sys
from pathlib import Path


def main() -> None:
    room, host, *arguments = sys.argv[1:]
    sys.argv = ["nova-compute", *arguments]
    from nova.cmd import compute

    from tests.stack import driver

    driver.register(Path(room), host)
    compute.main()


if __name__ == "__main__":
    main()
