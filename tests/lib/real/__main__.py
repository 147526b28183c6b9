# SPDX-License-Identifier: Apache-2.0
"""Start a stack of one host with a server that has a port, say where it is, and wait:
for the test that nothing of it outlives a kill -9 of this program."""

import tests.lib.cloud as _  # noqa: F401, I001  (prepares for Nova)
import signal

from tests.lib.real.stack import RealStack
from tests.lib.stack.site import Layout


def main() -> None:
    layout = Layout(zones={"a1": "nfs-a"}, reserve=())
    with RealStack(layout) as stack:
        volume = stack.volume("nfs-a", image=True)
        stack.boot_from("a1", volume, ports=[stack.port()])
        print(stack.folder, stack.machines["a1"].pid, flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
