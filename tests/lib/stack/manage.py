# SPDX-License-Identifier: Apache-2.0
"""Run commands of nova-manage or keystone-manage one after another.

MODULE, then each command behind a ``--``. Each is a process forked from this one, which
has imported the program: that takes three seconds, and would do so for each of them.
"""

import importlib
import itertools
import os
import sys


def main() -> int:
    module, *arguments = sys.argv[1:]
    program = importlib.import_module(module)
    commands = [
        list(words)
        for is_mark, words in itertools.groupby(arguments, lambda word: word == "--")
        if not is_mark
    ]
    for command in commands:
        child = os.fork()
        if child == 0:
            sys.argv = [module.split(".")[0] + "-manage", *command]
            sys.exit(program.main())
        _, status = os.waitpid(child, 0)
        if status:
            print(f"{module}: {command} ended with {status}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
