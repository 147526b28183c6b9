# SPDX-License-Identifier: Apache-2.0
"""Checks on admission: whether it is asked, and whether it knows anything."""

import time
from collections.abc import Iterator

from nova_ha_scheduler.admission.reader import Reader
from nova_ha_scheduler.doctor.finding import Finding, Severity
from nova_ha_scheduler.doctor.nova_conf import ADMISSION_FILTER
from nova_ha_scheduler.doctor.subject import Subject

_RESTART = "and restart nova-scheduler"


def admission_not_asked(subject: Subject) -> Iterator[Finding]:
    mode = subject.conf.ours("admission")
    enabled = subject.conf.words("filter_scheduler", "enabled_filters")
    if mode != "off" and ADMISSION_FILTER not in enabled:
        yield Finding(
            Severity.ERROR,
            f"[ha_scheduler] admission is {mode}, and [filter_scheduler] "
            f"enabled_filters has no {ADMISSION_FILTER}",
            "Nothing is refused, and nothing is logged.",
            f"add {ADMISSION_FILTER} to [filter_scheduler] enabled_filters {_RESTART}",
        )
    if mode != "off" and "FailoverHostFilter" not in enabled:
        yield Finding(
            Severity.ERROR,
            f"[ha_scheduler] admission is {mode}, and [filter_scheduler] "
            "enabled_filters has no FailoverHostFilter",
            "Boots use up the reserve that admission counts on.",
            "add FailoverHostFilter to [filter_scheduler] enabled_filters " + _RESTART,
        )


def admission_file_stale(subject: Subject) -> Iterator[Finding]:
    """By the file of this host, which may not be the scheduler's."""
    mode = subject.conf.ours("admission")
    if mode == "off":
        return
    path, age = (subject.conf.ours(f"admission_{name}") for name in ("file", "max_age"))
    if problem := Reader(str(path), float(str(age)), time.time).problem():
        when = subject.conf.ours("admission_when_stale")
        refused = mode == "enforce" and when == "refuse"
        yield Finding(
            Severity.WARNING,
            f"[ha_scheduler] admission is {mode}, and on this host {problem}",
            "If it is so on a host of nova-scheduler, "
            + (
                "every boot of an ha=true server is refused."
                if refused
                else "nothing is refused, and nothing is found."
            ),
            f"nova-ha capacity --publish {path}, from a timer; see docs/admission.md",
        )


CHECKS = (admission_not_asked, admission_file_stale)
