# SPDX-License-Identifier: Apache-2.0
"""Admission that is on, and cannot do its work."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from nova_ha_scheduler.admission import published
from nova_ha_scheduler.doctor.finding import Severity
from nova_ha_scheduler.doctor.nova_conf import ADMISSION_WEIGHER
from nova_ha_scheduler.doctor.subject import Subject
from nova_ha_scheduler.weighers import all_weighers
from nova_ha_scheduler.weighers.admission import HAAdmissionWeigher
from tests.unit.doctor.subjects import Conf, found, recommended

OURS = "nova_ha_scheduler.weighers.all_weighers"


def _on(
    conf: Conf,
    good: Subject,
    file: Path,
    filters: str,
    more: str = "admission = enforce\n",
    weighers: str = OURS,
) -> Subject:
    text = recommended().replace("HAFlavorFilter,", filters).replace(OURS, weighers)
    text += f"[ha_scheduler]\nadmission_file = {file}\n{more}"
    return replace(good, nova=conf(text))


BOTH = "HAFlavorFilter,HAAdmissionFilter,"


def test_silence(good: Subject, conf: Conf, tmp_path: Path) -> None:
    file = tmp_path / "admission.json"
    published.write(file, time.time(), ())
    assert found(_on(conf, good, file, BOTH)) == {}


def test_the_filter_is_not_enabled(good: Subject, conf: Conf, tmp_path: Path) -> None:
    file = tmp_path / "admission.json"
    published.write(file, time.time(), ())
    findings = found(_on(conf, good, file, "HAFlavorFilter,"))
    assert list(findings) == ["admission-not-asked"]
    severity, what = findings["admission-not-asked"]
    assert severity is Severity.ERROR
    assert "has no HAAdmissionFilter" in what


NONE = "nova.scheduler.weights.cpu.CPUWeigher"
ANOTHER = "nova_ha_scheduler.weighers.storage_zone.StorageZoneWeigher"


@pytest.mark.parametrize(
    ("mode", "multiplier", "loaded", "severity", "words"),
    [
        ("audit", 1000, OURS, None, ""),
        ("audit", 1000, ADMISSION_WEIGHER, None, ""),
        ("audit", 0, NONE, None, ""),
        ("enforce", 1000, NONE, None, ""),
        ("audit", 1000, NONE, Severity.ERROR, f"weight_classes has no {OURS}"),
        ("audit", -2.5, ANOTHER, Severity.ERROR, "multiplier is -2.5, and"),
        ("off", 1000, OURS, Severity.WARNING, "is 1000, and admission is off"),
    ],
)
def test_the_weigher(
    good: Subject,
    conf: Conf,
    tmp_path: Path,
    mode: str,
    multiplier: float,
    loaded: str,
    severity: Severity | None,
    words: str,
) -> None:
    file = tmp_path / "admission.json"
    published.write(file, time.time(), ())
    more = f"admission = {mode}\nadmission_weight_multiplier = {multiplier}\n"
    findings = found(_on(conf, good, file, BOTH, more, loaded))
    findings.pop("weigher-not-loaded", None)
    if severity is None:
        assert findings == {}
    else:
        assert list(findings) == ["admission-not-weighed"]
        found_as, what = findings["admission-not-weighed"]
        assert (found_as, words in what) == (severity, True), what


def test_the_weighers_name() -> None:
    assert f"{HAAdmissionWeigher.__module__}.HAAdmissionWeigher" == ADMISSION_WEIGHER
    assert HAAdmissionWeigher in all_weighers()


def test_the_file_is_stale(good: Subject, conf: Conf, tmp_path: Path) -> None:
    file = tmp_path / "admission.json"
    for words in ("cannot be read: No such file", "is too old"):
        findings = found(_on(conf, good, file, BOTH))
        assert list(findings) == ["admission-file-stale"]
        assert words in findings["admission-file-stale"][1]
        published.write(file, time.time() - 901, ())


def test_without_ours_available(good: Subject, conf: Conf) -> None:
    text = "[filter_scheduler]\nenabled_filters = ComputeFilter,HAAdmissionFilter\n"
    findings = found(replace(good, nova=conf(text)))
    assert "HAAdmissionFilter enabled" in findings["filters-not-available"][1]
