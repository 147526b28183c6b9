# SPDX-License-Identifier: Apache-2.0
"""Admission that is on, and cannot do its work."""

import time
from dataclasses import replace
from pathlib import Path

from nova_ha_scheduler.admission import published
from nova_ha_scheduler.doctor.finding import Severity
from nova_ha_scheduler.doctor.subject import Subject
from tests.unit.doctor.subjects import Conf, found, recommended


def _on(conf: Conf, good: Subject, file: Path, filters: str, more: str = "") -> Subject:
    text = recommended().replace("HAFlavorFilter,", filters)
    text += f"[ha_scheduler]\nadmission = enforce\nadmission_file = {file}\n{more}"
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
