# SPDX-License-Identifier: Apache-2.0
"""A BMC that speaks IPMI over LAN: OpenIPMI's simulator. Needs no pytest."""

from pathlib import Path

from tests.lib import packages

_AUTH = "none md2 md5 straight"
_LEVELS = ("callback", "user", "operator", "admin")


def simulator(
    folder: Path, port: int, chassis: Path, user: str, password: str
) -> list[str]:
    """Write the files of one BMC; return the command that runs it.

    :param port: of UDP.
    :param chassis: the program that it calls for the power, as ipmi_lan(5) has it.
    """
    allowed = "".join(f"    allowed_auths_{level} {_AUTH}\n" for level in _LEVELS)
    lan = folder / "lan.conf"
    lan.write_text(
        f'name "bmc"\nset_working_mc 0x20\n  startlan 1\n'
        f"    addr 127.0.0.1 {port}\n    priv_limit admin\n{allowed}"
        f"    guid a123456789abcdefa123456789abcdef\n  endlan\n"
        f'  chassis_control "{chassis} 0x20"\n'
        f'  user 1 true "" "none" user 10 {_AUTH}\n'
        f'  user 2 true "{user}" "{password}" admin 10 {_AUTH}\n'
    )
    commands = folder / "bmc.emu"
    commands.write_text(
        "mc_setbmc 0x20\n"
        "mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\n"
        "sel_enable 0x20 1000 0x0a\nmc_enable 0x20\n"
    )
    program = packages.find("ipmi_sim", "openipmi")
    state = str(folder / "state")
    return [program, "-n", "-c", str(lan), "-f", str(commands), "-s", state]
