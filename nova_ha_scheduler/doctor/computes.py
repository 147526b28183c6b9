# SPDX-License-Identifier: Apache-2.0
"""Checks on nova.conf: how a death is seen, and how a host comes back."""

from collections.abc import Iterator

from nova_ha_scheduler.doctor.finding import Finding, Severity
from nova_ha_scheduler.doctor.subject import Subject

ERROR, WARNING = Severity.ERROR, Severity.WARNING

_BEATS = 4
"""Half of down_time has to hold two heartbeats: see [detection] down_time."""


def guests_resume(subject: Subject) -> Iterator[Finding]:
    if subject.conf(None, "resume_guests_state_on_host_boot"):
        yield Finding(
            ERROR,
            "resume_guests_state_on_host_boot is on",
            "A dead host that is switched on again, by a person or its BMC, starts "
            "every server that is still said to be on it, at once: also those that "
            "are just about to be evacuated, which then run twice. Nova removes only "
            "the ones whose evacuation was asked for before.",
            "resume_guests_state_on_host_boot = false in each compute's nova.conf, "
            "and restart nova-compute",
        )


def heartbeats_too_rare(subject: Subject) -> Iterator[Finding]:
    interval = subject.conf.number(None, "report_interval")
    least, down_time = interval * _BEATS, subject.options.down_time
    if down_time < least:
        yield Finding(
            ERROR,
            f"[detection] down_time is {down_time:g} s, and Nova's report_interval "
            f"{interval} s",
            "The trigger holds itself for blind, and fences nothing, when every "
            "service is silent for half of down_time; at less than four heartbeats it "
            "may be blind while all is well.",
            f"[detection] down_time = {least} in nova-ha.conf, and restart "
            "nova-ha-evacuator",
        )


def calls_outlast_silence(subject: Subject) -> Iterator[Finding]:
    interval = subject.conf.number(None, "report_interval")
    timeout = subject.conf.number(None, "rpc_response_timeout")
    down_time = subject.options.down_time
    if timeout + interval >= down_time:
        most = max(1, int(down_time) - 2 * interval)
        yield Finding(
            WARNING,
            f"rpc_response_timeout is {timeout} s, and [detection] down_time "
            f"{down_time:g} s",
            "When a conductor is killed, a nova-compute whose heartbeat it had waits "
            "for the answer as long as that, and is silent: its host would be held for "
            "dead.",
            f"rpc_response_timeout = {most} in each compute's nova.conf, or a longer "
            "[detection] down_time in nova-ha.conf",
        )


def down_before_it_beats(subject: Subject) -> Iterator[Finding]:
    interval = subject.conf.number(None, "report_interval")
    down = subject.conf.number(None, "service_down_time")
    if down < 2 * interval:
        yield Finding(
            ERROR,
            f"service_down_time is {down} s, and report_interval {interval} s",
            "Nova calls services down that are well: one late heartbeat is enough.",
            f"service_down_time = {6 * interval} in every nova.conf",
        )


def heartbeats_elsewhere(subject: Subject) -> Iterator[Finding]:
    driver = subject.conf(None, "servicegroup_driver")
    if driver != "db":
        yield Finding(
            ERROR,
            f"servicegroup_driver is {driver}",
            "Heartbeats then do not reach Nova's database, so its API does not show "
            "how old the last one is, which the trigger goes by.",
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
        "The trigger listens to Nova's notifications, and hears none: it acts only "
        "when it looks, every [detection] poll_interval.",
        f"{mend} in {where}",
    )


CHECKS = (
    guests_resume,
    heartbeats_too_rare,
    calls_outlast_silence,
    down_before_it_beats,
    heartbeats_elsewhere,
    notifications_not_sent,
)
