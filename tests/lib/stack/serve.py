# SPDX-License-Identifier: Apache-2.0
"""Serve the WSGI application of a module, as a web server would: MODULE PORT."""

import importlib
import signal
import sys

from tests.lib.cloud.web import WebServer


def main() -> None:
    module, port = sys.argv[1:]
    sys.argv = [module]  # the services of OpenStack read it
    application = importlib.import_module(module).application
    WebServer(module, port=int(port)).start(application)
    signal.pause()


if __name__ == "__main__":
    main()
