# SPDX-License-Identifier: Apache-2.0
"""What becomes of a trigger that hangs at a call which leaves its process.

Each such call (calls.py) stands here with the case that it belongs to. Hangs are made
at the function that calls, as a file system or a resolver makes them, which knows no
time-outs; peers that accept and say nothing are in the tests that BY_PEERS names.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """
    :ivar at: the function that hangs, as calls.py writes it; "": none is replaced.
    :ivar ends: whether the trigger ends itself, and another one recovers a host that
        dies; else this one recovers it: what hangs is not the loop.
    :ivar starts: whether it hangs from the start.
    :ivar conf: what nova-ha.conf has beside the usual.
    :ivar provoked: by what it comes to the call, if not by itself.
    """

    at: str
    ends: bool
    starts: bool = False
    conf: str = ""
    provoked: str = ""


_BUS = """
[oslo_messaging_notifications]
driver = messagingv2
transport_url = rabbit://u:p@127.0.0.1:{bus}/
"""

_PEOPLE = """
[messages]
receivers = hook
[receiver_hook]
type = webhook
kinds = all
url = http://127.0.0.1:{bus}/
"""

_WORDS = "[words]\ndirectory = {folder}/words\n"

HANGS: Mapping[str, Case] = {
    # The loop.
    "the journal is read": Case("journal.store:SqlJournal.load", True),
    "the journal is written": Case("journal.database:Database._write", True),
    "the cloud is asked": Case("cluster.openstack.api:Api._send", True),
    "a request is sent": Case("exchange:BoundedAdapter.send", True),
    "the fencing file is looked at": Case("service.reload:Reloader._stamp", True),
    "nova-ha.conf is taken": Case(
        "service.reload:Reloader._take_options", True, provoked="SIGHUP"
    ),
    "systemd is told": Case("service.systemd:Notifier._send", True),
    # Each thread that logs hangs then; the watchdog's does not.
    "the log is a pipe that nobody reads": Case("", True, provoked="log"),
    # An effect.
    "a fence device is asked": Case(
        "fencing.agent:Agent.state",
        True,
        starts=True,
        conf="[evacuation]\ndevice_check_interval = 1\n",
        provoked="agent",
    ),
    # Threads beside the loop.
    "the lock is kept": Case(
        "service.leader.lock:Lock._keep",
        False,
        conf="[coordination]\nbackend_url = file://{folder}/locks\n",
    ),
    "a notification is sent": Case(
        "service.notifications.bus:Sender._notifier", False, starts=True, conf=_BUS
    ),
    "notifications are listened for": Case(
        "service.notifications.bus:Listener._run", False, starts=True, conf=_BUS
    ),
    "a message is sent": Case(
        "receivers.webhook:Webhook._ask", False, starts=True, conf=_PEOPLE
    ),
    "admission is published": Case(
        "service.publisher:Publisher._publish",
        False,
        conf="[admission]\npublish_interval = 1\n",
    ),
    "the fencing file is read": Case(
        "fencing.config:_read", False, provoked="fencing file"
    ),
    "health.json is written": Case("files:replace", False),
    "what the page shows is read": Case(
        "journal.history:History.after", False, conf="[health]\nport = {port}\n"
    ),
    "the page's certificate is looked at": Case(
        "service.monitoring.server:_stat",
        False,
        conf="[health]\nport = {port}\ncert_file = {certificate}\n",
    ),
    "words are taken": Case("spool.taker:Taker.take", False, conf=_WORDS),
    "a decision is kept": Case("journal.kept_decisions:Decisions._keep", False),
    # Who has no lease keeps nobody from it.
    "the tables are made": Case("journal.upgrade:upgrade", False, starts=True),
}

BY_PEERS: Mapping[str, str] = {
    "a silent database": "journal/test_silent_server.py::"
    "test_one_that_stops_in_the_middle",
    "a device that drips": "hostile/test_bmc.py::test_a_power_off_ends_in_time",
    "a program that does not end": "hostile/test_agents.py::"
    "test_an_agent_that_does_not_heed_signals",
    "a witness that does not end": "witnesses/test_witnesses.py::"
    "test_prometheus_that_does_not_end",
    "a silent host": "witnesses/test_witnesses.py::test_tcp_silence_is_death",
    "a mail server that drips": "service/test_messages.py::"
    "test_one_that_is_away_holds_up_nobody_else",
    "a service that drips": "hostile/test_cloud.py::test_every_request_ends_in_time",
}
"""Tests that were there before, below tests/."""

MAILS = "a mail server that drips"

COMMANDS = "called by commands alone, which a person can end"

STARTS = "the tables are made"
"""All that comes before the lease is asked for hangs alike."""

CALLS: Mapping[str, str] = {
    "cluster.openstack.api:Api._send": "the cloud is asked",
    "cluster.openstack.api:Api.newest": "a service that drips",
    "exchange:BoundedAdapter.send": "a request is sent",
    # A resolver's own time-outs are its own affair: as a request that does not end.
    "exchange:_HTTPConnection._addresses": "a request is sent",
    "service.conf_file:_files": STARTS,
    "service.main:_tell_where": "the log is a pipe that nobody reads",
    "service.leader.lock:Lock._beat": "the lock is kept",
    "service.leader.lock:Lock._keep": "the lock is kept",
    # /proc, and a stat of the lock's file, for the lease.
    "service.leader.lock:Lock.kernels": "the lock is kept",
    "service.leader.lock:coordinator": "the lock is kept",
    "service.notifications.bus:Listener._run": "notifications are listened for",
    # It begins to count what is passed over, in memory.
    "service.notifications.bus:Listener.start": "notifications are listened for",
    "service.notifications.bus:Sender._notifier": "a notification is sent",
    "service.notifications.bus:Sender.start": STARTS,
    "service.monitoring.pages:Pages.__init__": STARTS,
    "service.monitoring.server:WebPlace.context": STARTS,
    "service.monitoring.server:_stat": "the page's certificate is looked at",
    "service.notifications.courier:Courier._begin": STARTS,
    "service.notifications.courier:Courier._work": "a message is sent",
    "service.publisher:Publisher._publish": "admission is published",
    "service.reload:Reloader._stamp": "the fencing file is looked at",
    "service.reload:Reloader._take_options": "nova-ha.conf is taken",
    "service.systemd:Notifier._send": "systemd is told",
    "fencing.agent:Agent.prepare": "the fencing file is read",
    "fencing.agent:Agent.state": "a fence device is asked",
    "fencing.config:_read": "the fencing file is read",
    "fencing.identity:DevicePlace.resolved": "a fence device is asked",
    # The wait itself ends by its own time: fencing/test_levels.py.
    "fencing.kdump:Kdump._addresses": "a fence device is asked",
    "fencing.kdump:_Port.__init__": "a fence device is asked",
    "fencing.redfish:Redfish._system": "a device that drips",
    "fencing.redfish:Redfish.ask_off": "a device that drips",
    "fencing.redfish:Redfish.state": "a device that drips",
    "fencing:Driver._open": "a device that drips",
    "fencing:Driver._order_anyway": "a device that drips",
    "fencing:Driver._power_off": "a device that drips",
    "fencing:Driver.power": "a device that drips",
    "fencing:Driver.power_off": "a device that drips",
    "files:replace": "health.json is written",
    "health.file:read": COMMANDS,
    "journal.database:Database._prepare": STARTS,
    "journal.database:Database._prepare.durable": "a silent database",
    "journal.database:Database._write": "the journal is written",
    "journal.database:Database.read": "the journal is read",
    "journal.database:put": "the journal is written",
    "journal.kept_decisions:Decisions._at": COMMANDS,
    "journal.kept_decisions:Decisions._keep": "a decision is kept",
    "journal.history:History._records": COMMANDS,
    "journal.history:History._words": COMMANDS,
    "journal.history:History.after": "what the page shows is read",
    "journal.history:History.event": COMMANDS,
    "journal.history:History.events": COMMANDS,
    "journal.history:History.purge": COMMANDS,
    "journal.limits:_wait": "a silent database",
    "journal.limits:sessions": "a silent database",
    "journal.outbox:Outbox.begin": STARTS,
    "journal.outbox:Outbox.last": COMMANDS,
    "journal.outbox:Outbox.newest": "a message is sent",
    "journal.outbox:Outbox.pending": "a notification is sent",
    "journal.outbox:Outbox.waiting": "a message is sent",
    "journal.place:_is_missing": STARTS,
    "journal.place:_make": STARTS,
    "journal.schema:revision": STARTS,
    "journal.schema:revisions": STARTS,
    "journal.store:SqlJournal._commit": "the journal is written",
    "journal.store:SqlJournal._hold": "the journal is written",
    "journal.store:SqlJournal._lease": "the journal is read",
    "journal.store:SqlJournal._put_pauses": COMMANDS,
    "journal.store:SqlJournal.acquire": "the journal is written",
    "journal.store:SqlJournal.add_command_once": "words are taken",
    "journal.store:SqlJournal.load": "the journal is read",
    "journal.store:_records": "the journal is read",
    "journal.store:SqlJournal.put_report.write": "the journal is written",
    "journal.store:SqlJournal.release": "the journal is written",
    "journal.store:SqlJournal.report_and_age": "the journal is read",
    "journal.upgrade:upgrade": STARTS,
    "programs:_Talk._read": "a program that does not end",
    "programs:_Talk._write": "a program that does not end",
    "programs:_Talk.until": "a program that does not end",
    "programs:_end": "a program that does not end",
    "programs:run": "a program that does not end",
    "receivers.secret_files:text": "a message is sent",
    "receivers.smtp:Smtp._connected": MAILS,
    "receivers.smtp:Smtp._log_in": MAILS,
    "receivers.smtp:Smtp._server": MAILS,
    "receivers.smtp:Smtp.probe": COMMANDS,
    "receivers.smtp:Smtp.send": MAILS,
    "receivers.webhook:Webhook._ask": "a message is sent",
    "spool.taker:Taker._names": "words are taken",
    "spool.taker:Taker._remove": "words are taken",
    "spool.taker:Taker._take": "words are taken",
    "spool.taker:Taker.take": "words are taken",
    "spool.taker:_read": "words are taken",
    "spool.taker:_write": "words are taken",
    "spool.word:answer": COMMANDS,
    "spool.word:give": COMMANDS,
    "spool.word:is_taken": COMMANDS,
    "witnesses.command:CommandWitness.__init__": "nova-ha.conf is taken",
    "witnesses.prometheus:Prometheus._samples": "a witness that does not end",
    "witnesses.tcp:Tcp.ask": "a silent host",
}
