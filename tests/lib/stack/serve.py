# SPDX-License-Identifier: Apache-2.0
"""Serve the WSGI application of a module, as a web server would: MODULE PORT, and
what it finds in ``sys.argv``."""

import importlib
import signal
import sys

from tests.lib.web import IDLE, WebServer


def main() -> None:
    _, module, port, *arguments = sys.argv
    sys.argv = [module, *arguments]  # the services of OpenStack read it
    application = importlib.import_module(module).application
    WebServer(module, port=int(port), idle=IDLE).start(application)
    signal.pause()


if __name__ == "__main__":
    main()
