# SPDX-License-Identifier: Apache-2.0
"""Why not: every reason that the trigger can give, each with its sentence."""

import enum
import re

_RETRY = "nova-ha retry HOST --reason TEXT"
_WORD = "nova-ha confirm-fenced HOST --by NAME --reason TEXT"
_PLACES = re.compile(r"\b(?:HOST|SERVER)\b")
_OR_A_WORD = f"Or make sure that the host is off, then {_WORD}"


def filled(sentence: str, host: str = "", server: str = "") -> str:
    """The sentence, whose commands name the host and the server that are known.

    :param server: its uuid, which the openstack client finds in any project.
    """
    names = {"HOST": host, "SERVER": server}
    return _PLACES.sub(lambda found: names[found[0]] or found[0], sentence)


@enum.unique
class Reason(enum.Enum):
    """Why something is not, or not yet, as the operator would like it.

    The value is the sentence; ``{0}`` is filled with the record's detail, and
    :func:`filled` puts names in the place of HOST and SERVER.
    """

    # A server waits.
    IN_FLIGHT_LIMIT = "as many evacuations are under way as the options allow"
    NO_ROOM = "no host can take it now: {0}"
    BOUND = "it may go to one host alone, and that host cannot take it now: {0}"
    ROOM_KEPT = "the room that is left is kept for more urgent servers of {0}"
    TASK_STATE = "its task state is {0}"
    QUEUED = (
        "its task state is {0}. While its host is off, empty that host's message "
        "queues. Then: nova-ha retry HOST --reason TEXT --queues-emptied"
    )
    REFUSED_THERE = (
        "Nova's scheduler refuses {0} for a reason of its own. The next host is "
        "asked for"
    )
    REFUSED_BY_ALL = (
        "Nova's scheduler has refused each host that could take it, for a reason of "
        "its own: {0}. Its log names the filter. [evacuation] unnamed_requests lets "
        "Nova choose the host"
    )
    RETRY = "its evacuation failed and will be tried again: {0}"
    UNRESOLVED = "whether Nova has got the request is not known yet"
    NO_HOST_MAY = "no host may take it: {0}"
    SLOW = "its evacuation takes long. Nova still works on it"
    STRANDED = "{0}. Its state is reset, and Nova is asked again"
    DESTINATION_DOWN = (
        "its destination {0} went down in the middle. Nova is asked again once {0} "
        "is proven dead"
    )
    LATE_REQUEST = (
        "{0}. Nova refused that, but shows the server as broken: its state is put right"
    )
    LATE_UNCLEAR = (
        "{0}, and Nova shows the server as broken. Make sure that it runs where Nova "
        "shows it and nowhere else. Then: openstack server set --state active SERVER"
    )
    LATE_OWNERS = (
        "{0}. Nova shows the server as that has left it, though it runs elsewhere: "
        "its state is put right"
    )
    LATE_OWNERS_UNCLEAR = (
        "{0}, and Nova shows the server as that has left it. See whether it runs "
        "where Nova shows it. If so: openstack server set --state active SERVER. If "
        "not: openstack server reboot --hard SERVER"
    )
    CANNOT_BE_READ = (
        "what the cloud shows of it cannot be read, and Nova is asked for nothing: "
        "{0}. See openstack server show SERVER, then " + _RETRY
    )
    # A server is left where it is.
    NOT_PROTECTED = "its flavor does not say ha=true"
    POLICY_NONE = "its recovery policy is none"
    UNREADABLE = "{0}"
    LOCAL_DISK = "it has a local disk on a host in no storage zone"
    VM_STATE = "Nova refuses to evacuate a server in state {0}"
    REFUSED_BY_NOVA = "Nova refuses: {0}"
    BOUND_BY_GROUP = (
        "its server group {0} has a hard affinity policy, and the group's other "
        "members are all on its host: Nova takes no other one. If the host is dead: "
        "openstack server group delete {0} (the servers stay), then " + _RETRY
    )
    GONE = "it is not on the host any more"
    HOST_RETURNED = "the host came back before it was its turn"
    BACK_FIRST = (
        "nothing landed: {0} came back first, and gave the evacuation up. If the "
        "server does not run on {0}: openstack server set --state active SERVER, then "
        "openstack server reboot --hard SERVER"
    )
    WITHHELD = (
        "Nova was not asked for it in time. A pause, an abort, a maintenance or a "
        "doubt came first, or its destination was closed, or somebody else was faster"
    )
    # A server failed.
    ATTEMPTS = (
        "every attempt failed. The last one: {0}. Find its request id in Nova's "
        "logs, then " + _RETRY
    )
    DISTURBED = (
        "while it was evacuated, {0}. Make sure that it runs nowhere, and remove "
        "what is left of it. Then: " + _RETRY
    )
    STILL_ON_SOURCE = "its evacuation landed, but Nova still shows it on {0}"
    NOT_RUNNING = "it landed, but it does not run: {0}"
    PERHAPS_RUNNING = (
        "it landed, and Nova shows it as active without power. Its hypervisor could "
        "not be asked whether it runs: {0}"
    )
    NOT_STOPPED = "it landed, but a server that was stopped runs"
    NOT_ATTACHED = "it landed, but {0}"
    # A host does not go on.
    WITNESSES = "not every witness agrees that it is dead: {0}"
    STORM = (
        "the guard has tripped: {0}. If HOST alone is dead: nova-ha evacuate HOST "
        "--confirm-fenced --by NAME --reason TEXT recovers it. If all are dead: "
        "nova-ha guard reset --reason TEXT lets each be fenced. Else wait: all goes "
        "on when the cool-down ends"
    )
    UNFENCED = (
        "it could not be fenced: {0}. Mend its fence device: the trigger asks it "
        "again. " + _OR_A_WORD
    )
    BY_HAND = (
        "it has no fence device (method: manual). Make sure that the host is off, then "
        + _WORD
    )
    NO_METHOD = (
        "nothing can fence it: {0}. Give it a method there, which is used at once. "
        + _OR_A_WORD
    )
    PROOF_STALE = (
        "it may be on again ({0}). Its fence device, if it has one, is asked. "
        + _OR_A_WORD
    )
    SEEN_ALIVE = (
        "its fence device says that it is off, but {0}. See whose power that device "
        "cuts. The witnesses are asked again. " + _OR_A_WORD
    )
    CONTRADICTED = (
        "its fence device says that it is off ({0}), but its nova-compute reports. "
        "Cut its power by hand, then " + _WORD
    )
    DEVICE_LIES = (
        "its fence device says off, time after time, while the host is heard of. See "
        "whose power that device cuts, and put its entry in the fencing file right"
    )
    DEVICE_BROKEN = (
        "its fence device would not serve: {0}. Mend it before the host dies"
    )
    DONE_RECORDS = (
        "its nova-compute has not cleaned up after {0} evacuations yet. It does so "
        "when it starts: restart it there if this lasts"
    )
    FORCED_DOWN = (
        "somebody else forced it down, and has to lift that: openstack compute "
        "service set --up HOST nova-compute"
    )
    ALIVE = "it is alive"
    SWITCHED_ON = (
        "it is on again in the middle of its recovery. No further server is evacuated "
        "from it until it is seen off, or is let in again"
    )
    ON_AGAIN = "it was off only for a moment: {0}"
    UNPROTECTED = "no aggregate of it says ha=true"
    DISABLED = "somebody disabled its service: {0}"
    MAINTENANCE = "it is under maintenance"
    BLIND = (
        "all services are silent ({0}): the trigger is blind, and no host is dead "
        "for that. See Nova's database and message bus, and the clocks"
    )
    CLOCKS = (
        "the clocks of this machine and of Nova contradict each other, so no host "
        "counts as dead: {0}. Set the wrong one right"
    )
    OUTAGE = (
        "cloud, message bus or journal were out of order for {0}. No host is fenced "
        "until every host had the time to be heard of"
    )
    CLOCK_JUMPED = (
        "the clock of this machine was set by {0}. See that its time service keeps "
        "it right. No host is fenced until every host had the time to be heard of"
    )
    BROKEN = (
        "its step broke and is tried again: {0}. Nothing is done for it until that "
        "has passed. Other hosts go on. It is a bug: report it with the trigger's log"
    )
    SERVICE_UNREADABLE = (
        "its compute service cannot be read: {0}. Nothing is done for it until that "
        "can be. Other hosts go on. See openstack compute service list"
    )
    ALREADY = "its recovery is under way already"
    PAUSED = "it is paused: {0}"
    ABORTED = (
        "it was aborted by {0}. nova-ha retry HOST --reason TEXT takes it up again"
    )
    FLAPS = (
        "it has died twice within [return] flapping_within. Its service stays "
        "disabled, and no server goes home to it. See why it dies, then enable it: "
        "openstack compute service set --enable HOST nova-compute"
    )
    LEFT_DISABLED = (
        "its service stays disabled until a person enables it: openstack compute "
        "service set --enable HOST nova-compute"
    )
    # A server that is well does not move.
    MOVED_AWAY = "it is not on {0} any more: somebody else has moved or deleted it"
    NO_MOVE = "Nova moves no server in state {0}"
    DOWN = "its host is down"
    MOVE_RETRY = "its move failed and will be tried again: {0}"
    MOVE_SLOW = "its move takes long. Nova still works on it"
    MOVE_FORCED = (
        "its memory has been copied for {0} s. Nova is asked to complete the move by "
        "force: the server may pause for that"
    )
    MOVE_NOT_FORCED = "its move takes long, and Nova does not complete it by force: {0}"
    LIVE_OVER = "it cannot be moved while it runs: {0}"
    NOT_HALTED = "it cannot be moved while it runs, and is not stopped for that: {0}"
    RUNS_AGAIN = (
        "it was asked to stop for the move, and runs. Its owner has started it "
        "again, or it did not stop. It is not stopped again in this maintenance"
    )
    HALTED_LONG = "it was stopped for the move, which did not begin within {0} s"
    NOT_STARTED_YET = (
        "it was stopped for the move, and is not started again yet: {0}. That is "
        "tried further"
    )
    NOT_STARTED = "it was stopped for the move, and is not started again: {0}"
    UNCONFIRMED = (
        "it is on {0} in VERIFY_RESIZE, and would come back if that was reverted. "
        "Confirm it (openstack server resize confirm SERVER), or revert it"
    )
    REVERTING = "it is on its way back from {0}: somebody reverts its resize"
    RESIZED = "Nova works on its resize to {0}, which was ordered by somebody else"
    NOT_CONFIRMED = "it arrived, but Nova does not confirm it: {0}"
    WINDOW_ENDED = "the maintenance ended before it was moved{0}"
    ABANDONED = "the maintenance was ended while it moved"
    NO_FAILBACK = "it shall not go home any more"
    HOME_FULL = "its home cannot take it now: {0}"
    HOME_DIED = "its home died again"
    HOME_TOO_LATE = "its home could not take it in time: {0}"
    # A maintenance does not go on, or had to be put right.
    MAY_RETURN_UNKNOWN = (
        "nobody knows whether a server may come back to it, as this cannot be read: {0}"
    )
    NOVA_FAILED = "Nova did not do it, or did not say so: {0}"
    UNFLAGGED = "somebody took its flag. The flag was set again"
    MOVES_UNDER_WAY = "{0} of its servers are still on their way"
    DOWN_AT_END = "it is down, and stays under maintenance until it is up"
    LEFT_ALONE = "down under maintenance: left alone"
    REBOOTED = (
        "none of its servers runs ({0}), and nobody has stopped them. It seems to "
        "have rebooted. Nova starts none of them: openstack server reboot --hard "
        "SERVER does"
    )
    REBOOTED_RESTART = (
        "none of its servers runs ({0}), and nobody has stopped them. It seems to "
        "have rebooted. They are started again"
    )
    NOT_RESTARTED = "its host has rebooted, and it could not be started again: {0}"
    LEFT_DEAD = (
        "it is down while somebody has its service disabled ({0}): it is left alone, "
        "with its servers. If it is dead: nova-ha evacuate HOST --confirm-fenced "
        "--by NAME --reason TEXT recovers them. [detection] recover_disabled has the "
        "trigger recover such hosts"
    )
    # Another trigger becomes the active one.
    TRIGGER_SILENT = (
        "{0} was the active trigger, and has died or fell silent. See its log and "
        "start it again: until then there is one trigger less"
    )
    LOCK_HOLDER_SILENT = (
        "{0} was the active trigger, and has died or fell silent. Nobody who holds "
        "the lock of [coordination] backend_url took over. See that the backend "
        "answers, and look for a trigger that is stalled"
    )
    # A word that a host is off is not used yet.
    WORD_BLIND = "the trigger sees no host now: the word is used when it does"
    WORD_LEFT_ALONE = "{0}: the word is used if it is suspected after that"
    WORD_UNPROTECTED = (
        "no aggregate of it says ha=true, so it is not suspected. nova-ha evacuate "
        "HOST --confirm-fenced --by NAME --reason TEXT recovers it all the same"
    )
    WORD_UP = (
        "Nova holds it for up. The word is void at its next heartbeat, and is used if "
        "it is suspected before that"
    )
    WORD_EARLY = "it is not suspected yet: the word is used when it is"
    WORD_FENCING = "it is being fenced: the word is used if that fails"
    WORD_PROVEN = "it is {0} already: the word is used if its death comes in doubt"
    EVACUATE_UP = (
        "Nova holds it for up. The order is void at its next heartbeat, and is used if "
        "Nova calls it down before that"
    )
    # A command is refused.
    IN_WINDOW = "it is under maintenance already: {0}"
    NO_WINDOW = "no maintenance of it is open: {0}"
    PAST = "the maintenance would have been over at once"
    BEING_FENCED = (
        "it is being switched off at this moment, which nobody can call back. Order "
        "it again once that is over"
    )
    UNKNOWN_HOST = "no nova-compute service has exactly this host name{0}"
    VOID = "its service was heard of after the word was given"
    EXPIRED = "the word has expired"
    OF_THE_FUTURE = (
        "it was ordered at a time that is still to come. See that the clocks are "
        "right, then order it again"
    )
    TOO_LATE = "nobody has taken the order in time"
    NOT_TRIPPED = "the guard had not tripped when this was ordered"
    NO_RECOVERY = "no recovery of it is open"
    NOTHING_TO_ABORT = "there is nothing to abort: it is {0}"
    NOTHING_TO_RETRY = "there is nothing to take up: it is {0}"

    def sentence(self, detail: str = "") -> str:
        return self.value.format(detail)

    @property
    def intended(self) -> bool:
        """Whether a server left for this reason was never to be recovered, or
        needs no recovery any more: the host can be recovered all the same."""
        return self in (Reason.NOT_PROTECTED, Reason.POLICY_NONE, Reason.GONE)
