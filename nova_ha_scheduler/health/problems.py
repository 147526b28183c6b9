# SPDX-License-Identifier: Apache-2.0
"""What can be out of order, how bad that is, and what a person is to do about it.

docs/health.md has all of it in a table, which a test holds to this one.
"""

import enum
from dataclasses import dataclass


class Code(enum.IntEnum):
    """The exit codes of ``nova-ha health``, as Nagios reads them."""

    PROTECTED = 0
    DEGRADED = 1
    NOT_PROTECTING = 2
    CANNOT_TELL = 3

    @property
    def state(self) -> str:
        """The word for programs."""
        return self.name.lower()

    @property
    def words(self) -> str:
        """The word for people."""
        return self.name.replace("_", " ")


@dataclass(frozen=True)
class ProblemRow:
    """:ivar what: a sentence; ``{0}`` is filled with a detail, ``{host}`` with a host.
    :ivar todo: what to do, with the same.
    """

    code: Code
    what: str
    todo: str


_NO, _HALF, _PERHAPS = Code.NOT_PROTECTING, Code.DEGRADED, Code.CANNOT_TELL

_LOG = "see its log (journalctl -u nova-ha-evacuator)"


class Kind(enum.Enum):
    """The names, in small letters, are the words for programs."""

    # The trigger.
    NO_TRIGGER = ProblemRow(
        _NO, "no trigger is active", "start nova-ha-evacuator, on one machine at least"
    )
    ONLY_BY_HAND = ProblemRow(
        _NO,
        "no trigger is active but one that a person started for {0} alone",
        "start nova-ha-evacuator, which takes over when that one has ended",
    )
    TRIGGER_SILENT = ProblemRow(
        _NO,
        "the active trigger gives no sign of life: {0}",
        f"start it again; {_LOG}. A trigger that stands by takes over by itself",
    )
    TRIGGER_STUCK = ProblemRow(
        _NO,
        "the active trigger is stuck: {0}",
        f"{_LOG}; restart it if this lasts. Nothing is forgotten",
    )
    STEP = ProblemRow(
        _NO,
        "the trigger's step breaks: {0}",
        f"this is a bug, and nothing goes on: report it with the trigger's log; {_LOG}",
    )
    JOURNAL = ProblemRow(
        _NO,
        "the journal cannot be used: {0}",
        "see that [database] connection is up and that its disk has room",
    )
    NOT_SEEN = ProblemRow(
        _NO,
        "the cloud was not seen yet since the trigger became the active one",
        f"wait for its first look; if it does not come, {_LOG}",
    )
    BLIND = ProblemRow(
        _NO,
        "all services are silent: the trigger is blind",
        "see Nova's database and message bus, and the clocks; nova-ha history events "
        "says more",
    )
    NOTHING_PROTECTED = ProblemRow(
        _NO,
        "no host is protected",
        "protect hosts with nova-ha tag HOST --ha. Hosts under maintenance, or with "
        "their service disabled, are not protected either",
    )
    # What a person or the guard has stopped.
    GUARD = ProblemRow(
        _NO,
        "the guard has tripped: {0}",
        "see whether these hosts are dead. If one is: nova-ha evacuate HOST "
        "--confirm-fenced --by NAME --reason TEXT recovers it. If all are: nova-ha "
        "guard reset --reason TEXT lets each be fenced. Else wait: all goes on when "
        "the cool-down ends",
    )
    PAUSED = ProblemRow(
        _NO,
        "everything is paused {0}",
        "nova-ha resume --all, when that is over",
    )
    # For a while.
    SETTLING = ProblemRow(
        _HALF,
        "no host is fenced for now: after an outage, or when a clock was set, every "
        "host gets the time to be heard of",
        "nothing: it goes on by itself",
    )
    # One host, or a part of them.
    HOST_UNFENCED = ProblemRow(
        _HALF,
        "{host} looks dead and is not fenced: {0}",
        "mend its fence device, or make sure that {host} is off and run nova-ha "
        "confirm-fenced {host} --by NAME --reason TEXT",
    )
    HOST_HELD = ProblemRow(
        _HALF,
        "{host} does not go on: {0}",
        "do what the reason says. The rest: nova-ha history show {host}",
    )
    SERVERS_LOST = ProblemRow(
        _HALF,
        "{host} has servers that are not recovered: {0}",
        "nova-ha history show {host} says why. nova-ha retry {host} --reason TEXT "
        "tries them again",
    )
    SERVERS_WAIT = ProblemRow(
        _HALF,
        "{host} has servers that wait: {0}",
        "nova-ha history show {host} gives the reason. If there is no room, make room, "
        "or bring back a host that is down: the trigger then asks for the servers by "
        "itself",
    )
    LEFT_DEAD = ProblemRow(
        _HALF,
        "{host} is down while somebody has its service disabled, and is left alone",
        "if {host} is dead: nova-ha evacuate {host} --confirm-fenced --by NAME "
        "--reason TEXT recovers its servers. If it is to stay off: nova-ha "
        "maintenance start {host} --reason TEXT, or nova-ha untag {host} --ha",
    )
    PAUSED_IN_PART = ProblemRow(
        _HALF,
        "a pause holds {0}",
        "nova-ha resume HOST, or nova-ha resume --zone ZONE, when that is over",
    )
    MAINTENANCE_HELD = ProblemRow(
        _HALF,
        "the maintenance of {host} does not go on: {0}",
        "do what the reason says. The rest: nova-ha maintenance show {host}",
    )
    NO_METHOD = ProblemRow(
        _HALF,
        "{host} is protected, but nothing can fence it: {0}",
        "give {host} a method in the fencing file; manual, if it has no device",
    )
    DEVICE_BROKEN = ProblemRow(
        _HALF,
        "the fence device of {host} would not serve: {0}",
        "mend the device, or its entry in the fencing file; nova-ha check asks it",
    )
    SHUT_OUT = ProblemRow(
        _HALF,
        "{host} is back, and its service stays disabled: {0}",
        "see why it died, then openstack compute service set --enable {host} "
        "nova-compute",
    )
    MISSPELT = ProblemRow(
        _HALF,
        "a key of the aggregates of {1} may be misspelt: {0}",
        "nova-ha check names the aggregate, and the commands that put it right",
    )
    # What stands beside.
    TROUBLE = ProblemRow(_HALF, "{0}", "{1}")
    # What it sees.
    CLOUD = ProblemRow(
        _NO,
        "the cloud cannot be seen: {0}",
        "see that the named service answers, and that [cloud] of nova-ha.conf may log "
        "in",
    )
    # Nobody knows.
    CLOCKS = ProblemRow(
        _PERHAPS,
        "the trigger's last report is of a time to come: {0}",
        "set the clock that is wrong: of this machine, or of the trigger's",
    )
    NO_REPORT = ProblemRow(
        _PERHAPS,
        "the trigger has left no report that can be read: {0}",
        "let nova-ha and nova-ha-evacuator be of the same version",
    )
    UNREADABLE = ProblemRow(
        _PERHAPS,
        "{0}",
        "see that nova-ha-evacuator runs on this machine and writes health.json "
        "([health] directory), or ask as a user who may read nova-ha.conf",
    )

    @property
    def code(self) -> Code:
        """What it means for the whole."""
        return self.value.code

    @property
    def word(self) -> str:
        """What programs call it."""
        return self.name.lower()


@dataclass(frozen=True)
class Problem:
    """
    :ivar host: "" if it is not about one host.
    :ivar since: seconds since the epoch; None: not known.
    """

    kind: Kind
    host: str = ""
    since: float | None = None
    details: tuple[str, ...] = ("",)

    @property
    def what(self) -> str:
        """A sentence on one line, whatever a device or a service has sent."""
        said = self.kind.value.what.format(*self.details, host=self.host)
        return " ".join(said.split())

    @property
    def todo(self) -> str:
        """What to do about it, as a sentence."""
        return self.kind.value.todo.format(*self.details, host=self.host)
