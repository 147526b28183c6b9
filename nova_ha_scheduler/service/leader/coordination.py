# SPDX-License-Identifier: Apache-2.0
"""[coordination] in nova-ha.conf: the lock of another service, where one is wanted.

Where none is, :mod:`.lock` is not imported: tooz, and what comes with it, takes long.
"""

from typing import TYPE_CHECKING

from oslo_config import cfg

from nova_ha_scheduler.health.troubles import Troubles

if TYPE_CHECKING:
    from nova_ha_scheduler.service.leader.lock import Lock

GROUP = cfg.OptGroup(
    "coordination",
    title="Coordination",
    help="Which of several triggers on one journal is next to be active. The journal's "
    "lease decides it and guards every write, also where a backend is named here.",
)

OPTS = [
    cfg.StrOpt(
        "backend_url",
        default="",
        secret=True,
        help="A backend of tooz whose lock the next active trigger has to hold. Empty, "
        "the default: the journal's lease alone, which needs nothing else. "
        "file:///var/lib/nova-ha-scheduler/lock: triggers on one machine; when the "
        "active one dies, the kernel frees the lock and another takes over at once. "
        "etcd3+http://HOST:2379 (or etcd3+https, with ca_cert, cert_key, cert_cert; "
        "the package's extra etcd) and redis://:PASSWORD@HOST:6379 (with sentinel "
        "and sentinel_fallback; the extra redis): a lock that is lost "
        "[journal] lease_timeout after the holder's last sign of life. Where the "
        "backend does not answer, or its lock is held by a trigger that does nothing, "
        "another takes over after twice [journal] lease_timeout.",
    ),
    cfg.StrOpt(
        "lock_name",
        default="nova-ha-evacuator",
        regex=r"^[\w.-]+$",
        help="The lock's name: the same for all triggers on one journal, another for "
        "those on another journal.",
    ),
]

_DRIVERS = ("etcd3+http", "etcd3+https", "file", "redis")


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options; doing so again does nothing."""
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, OPTS)]


def check(conf: cfg.ConfigOpts) -> None:
    """Make sure that the backend is one that can be used; it is not asked.

    :raises cfg.Error: a sentence that names the option.
    """
    if not (url := conf.coordination.backend_url):
        return
    scheme = url.partition("://")[0]
    if scheme not in _DRIVERS:
        raise cfg.Error(
            f"[coordination] backend_url: {scheme}:// has no lock that a stalled "
            f"trigger loses; use one of {', '.join(f'{d}://' for d in _DRIVERS)}, or "
            "leave it empty: the journal's own lease is one in its database"
        )
    from nova_ha_scheduler.service.leader import lock

    try:
        lock.coordinator(conf, "check")
    except Exception as error:  # tooz and its drivers raise anything
        extra = "etcd" if scheme.startswith("etcd3") else scheme
        raise cfg.Error(
            f"[coordination] backend_url: the driver of {scheme}:// cannot be used "
            f"({error}); is nova-ha-scheduler[{extra}] installed?"
        ) from error


def lock(conf: cfg.ConfigOpts, member: str, troubles: Troubles) -> "Lock | None":
    """The lock that is configured.

    :param member: the name of this trigger, which no other one has.
    """
    if not conf.coordination.backend_url:
        return None
    from nova_ha_scheduler.service.leader.lock import Lock

    return Lock(conf, member, troubles)
