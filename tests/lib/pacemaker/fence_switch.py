# SPDX-License-Identifier: Apache-2.0
"""A fence agent that asks the tests' power switch. Options come on its standard input,
as Pacemaker gives them."""

import socket
import sys

METADATA = """<?xml version="1.0" ?>
<resource-agent name="fence_switch" shortdesc="The tests' power switch">
<longdesc>Asks the power switch of the tests.</longdesc>
<parameters>
<parameter name="action" required="1"><content type="string" default="off"/></parameter>
<parameter name="plug" required="0"><content type="string"/></parameter>
<parameter name="socket" required="1"><content type="string"/></parameter>
</parameters>
<actions><action name="on"/><action name="off"/><action name="reboot"/>
<action name="status"/><action name="monitor"/><action name="metadata"/></actions>
</resource-agent>"""

pairs = [line.strip().partition("=") for line in sys.stdin]
options = {name.strip(): value for name, _, value in pairs}
action = options.get("action", "off")
if action == "metadata":
    print(METADATA)
elif action != "monitor":
    with socket.socket(socket.AF_UNIX) as switch:
        switch.connect(options["socket"])
        switch.sendall(f"{action} {options['plug']}\n".encode())
        answer = switch.makefile().readline().strip()
    if answer == "broken":
        sys.exit("the power switch is broken")
    if action == "status":
        sys.exit(0 if answer == "on" else 2)
