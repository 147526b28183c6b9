# SPDX-License-Identifier: Apache-2.0
"""Checks on nova.conf: how a host comes back, and what is heard of it."""

from collections.abc import Iterator

from nova_ha_scheduler.doctor.finding import Finding, Severity
from nova_ha_scheduler.doctor.subject import Subject

ERROR, WARNING = Severity.ERROR, Severity.WARNING


def guests_resume(subject: Subject) -> Iterator[Finding]:
    if subject.conf(None, "resume_guests_state_on_host_boot"):
        yield Finding(
            ERROR,
            "resume_guests_state_on_host_boot is on",
            "A dead host that is switched on again starts every server that Nova "
            "still has on it, at once. A server that is about to be evacuated then "
            "runs twice: nova-compute removes only servers whose evacuation was "
            "asked for before.",
            "resume_guests_state_on_host_boot = false in each compute's nova.conf, "
            "and restart nova-compute",
        )


def no_service_tokens(subject: Subject) -> Iterator[Finding]:
    if not subject.conf("service_user", "send_service_user_token"):
        yield Finding(
            WARNING,
            "[service_user] send_service_user_token is off",
            "Cinder ends the attachment of a volume in use only for a service's own "
            "token. Without that token, the evacuation of each server with a volume "
            "fails: the new host cannot end the attachment to the dead host.",
            "[service_user] with send_service_user_token = true and Nova's login, in "
            "the nova.conf of every host; the login needs the role service",
        )


def heartbeats_elsewhere(subject: Subject) -> Iterator[Finding]:
    driver = subject.conf(None, "servicegroup_driver")
    if driver != "db":
        yield Finding(
            ERROR,
            f"servicegroup_driver is {driver}",
            "Heartbeats then do not reach Nova's database. Nova's API does not show "
            "the age of the last heartbeat, by which the trigger judges a host.",
            "servicegroup_driver = db in every nova.conf",
        )


def notifications_not_sent(subject: Subject) -> Iterator[Finding]:
    if subject.listening is None:
        return
    nova, wanted = subject.conf, subject.listening
    driver = nova.words("oslo_messaging_notifications", "driver")
    if not any(name.startswith("messaging") for name in driver):
        yield _deaf(
            "[oslo_messaging_notifications] driver is not set",
            "[oslo_messaging_notifications] driver = messagingv2",
        )
    if nova("notifications", "notification_format") == "unversioned":
        yield _deaf(
            "[notifications] notification_format is unversioned",
            "[notifications] notification_format = both",
        )
    topics = nova.words("notifications", "versioned_notifications_topics")
    if wanted.topic not in topics:
        yield _deaf(
            f"[notifications] versioned_notifications_topics has no {wanted.topic}",
            f"[notifications] topic = {topics[0]}" if topics else "name a topic",
            "nova-ha.conf",
        )
    exchange = nova(None, "control_exchange")
    if wanted.exchange != exchange:
        yield _deaf(
            f"control_exchange is {exchange}, and not {wanted.exchange}",
            f"[notifications] exchange = {exchange}",
            "nova-ha.conf",
        )


def _deaf(what: str, mend: str, where: str = "nova-api's nova.conf") -> Finding:
    return Finding(
        WARNING,
        what,
        "The trigger listens to Nova's notifications, and hears none. The trigger "
        "sees a change only when it looks at the cloud, every [detection] "
        "poll_interval seconds.",
        f"{mend} in {where}",
    )


CHECKS = (
    guests_resume,
    no_service_tokens,
    heartbeats_elsewhere,
    notifications_not_sent,
)
