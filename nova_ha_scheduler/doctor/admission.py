# SPDX-License-Identifier: Apache-2.0
"""Checks on admission: whether it is asked, and whether it knows anything."""

import time
from collections.abc import Iterator

from nova_ha_scheduler.admission.reader import Reader
from nova_ha_scheduler.doctor.finding import Finding, Severity
from nova_ha_scheduler.doctor.nova_conf import (
    ADMISSION_FILTER,
    ADMISSION_WEIGHER,
    OUR_WEIGHERS,
    STOCK_WEIGHERS,
)
from nova_ha_scheduler.doctor.subject import Subject

_RESTART = "and restart nova-scheduler"


def admission_not_asked(subject: Subject) -> Iterator[Finding]:
    mode = subject.conf.ours("admission")
    enabled = subject.conf.filters
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


def admission_not_weighed(subject: Subject) -> Iterator[Finding]:
    """With enforce there is nothing left to weigh, and nothing to find."""
    mode = subject.conf.ours("admission")
    multiplier = float(str(subject.conf.ours("admission_weight_multiplier")))
    if mode == "enforce" or not multiplier:
        return
    option = f"[ha_scheduler] admission_weight_multiplier is {multiplier:g}"
    if mode == "off":
        yield Finding(
            Severity.WARNING,
            f"{option}, and admission is off",
            "Hosts whose servers could not be recovered are not the last choice.",
            f"[ha_scheduler] admission = audit {_RESTART}",
        )
    loaded = subject.conf.words("filter_scheduler", "weight_classes")
    if not {OUR_WEIGHERS, ADMISSION_WEIGHER} & set(loaded):
        yield Finding(
            Severity.ERROR,
            f"{option}, and [filter_scheduler] weight_classes has no {OUR_WEIGHERS}",
            "The option multiplies the weight of HAAdmissionWeigher, which is not "
            "loaded. Hosts whose servers could not be recovered are not the last "
            "choice.",
            f"weight_classes = {STOCK_WEIGHERS},{OUR_WEIGHERS} {_RESTART}",
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
            "Where that holds on a host of nova-scheduler, "
            + (
                "every boot of an ha=true server is refused."
                if refused
                else "admission refuses nothing, and logs nothing."
            ),
            f"nova-ha capacity --publish {path}, from a timer; see docs/admission.md",
        )


CHECKS = (admission_not_asked, admission_not_weighed, admission_file_stale)
