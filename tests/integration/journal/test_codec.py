# SPDX-License-Identifier: Apache-2.0
"""Every field of every record comes back, also of fields that are yet to come."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_ha_scheduler.journal import JournalError, table_rows
from nova_ha_scheduler.records.commands import Command
from nova_ha_scheduler.records.effects import Intent
from nova_ha_scheduler.records.guard_record import GuardRecord
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.server_recovery import ServerRecovery

NUMBERS = st.floats(allow_nan=False)


@pytest.mark.parametrize(
    "cls", [HostRecovery, ServerRecovery, Intent, Command, GuardRecord, Pause]
)
def test_there_and_back(cls):
    st.register_type_strategy(float, NUMBERS)

    @settings(max_examples=30, deadline=None)
    @given(st.from_type(cls))
    def check(record):
        text = table_rows.dump(record)
        assert text.isascii()
        assert table_rows.load(cls, text) == record

    check()


RECORD = {"id": "i", "host": "c1", "state": "FENCED", "started_at": 1.0}


def test_a_missing_field_gets_its_default():
    expected = HostRecovery("i", "c1", HostState.FENCED, 1.0)
    assert table_rows.load(HostRecovery, json.dumps(RECORD)) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"state": "fenced"},
        {"state": None},
        {"started_at": "1.0"},
        {"started_at": None},
        {"host": 1},
        {"host": None},
        {"stages": []},
        {"evidence": {"proof": "POWER_OFF"}},
    ],
)
def test_what_was_not_written_by_us_is_an_error(change):
    with pytest.raises(JournalError, match="a HostRecovery in the journal cannot be"):
        table_rows.load(HostRecovery, json.dumps(RECORD | change))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "{"])
def test_no_record_at_all(text):
    with pytest.raises(JournalError):
        table_rows.load(HostRecovery, text)
