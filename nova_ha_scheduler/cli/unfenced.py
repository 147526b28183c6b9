# SPDX-License-Identifier: Apache-2.0
"""What people are told of a protected host that nothing can fence, and what to do."""

from oslo_config import cfg

_THEN = (
    "Until it has an entry that can be used (method: manual, if it has no device), its "
    "servers wait for nova-ha confirm-fenced when it dies"
)


def words(lack: str) -> str:
    """A sentence. :param lack: see FenceDevices.lacks."""
    return f"it is protected, but nothing can fence it: {lack}. {_THEN}"


def unknown(error: Exception) -> str:
    """The same where the fencing file cannot be used."""
    return f"whether it can be fenced cannot be told: {error}"


def why(conf: cfg.ConfigOpts, host: str) -> str:
    """What is to be told of a host that is, or will be, protected, or ""."""
    # Who asks for no protection waits for none of this.
    from nova_ha_scheduler.fencing import FencingFileError
    from nova_ha_scheduler.fencing.config import FenceDevices

    try:
        lack = FenceDevices.from_conf(conf).lacks(host)
    except FencingFileError as error:
        return unknown(error)
    return words(lack) if lack else ""
