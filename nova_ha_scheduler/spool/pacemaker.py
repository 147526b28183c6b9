# SPDX-License-Identifier: Apache-2.0
"""``nova-ha-pacemaker-alert``, a Pacemaker alert agent: when the cluster has powered
off a node, it gives its word for that to the trigger on this machine. docs/pacemaker.md
tells how it is set up.

====================================  ==============================================
the alert                             its word
====================================  ==============================================
"off", OK, rc 0                       the node is off, by Pacemaker's word
the same, "by a human"                the same, by a person's word (stonith_admin
                                      --confirm), with the client that gave it
"reboot", "on"                        none: the node is on, or on again in a moment,
                                      and its servers may run there
it failed                             none
its description is of another node,   none, and that is an error: a person has to
or is not understood, or it does not  look
say when
====================================  ==============================================

A fencing alert has the task st_notify_fence and says the action in its description
alone: ``Operation off of a1 by n1 for pacemaker-controld.43@n1: OK (ref=...)``. It
does so from Pacemaker 1.1.15, which has the first alerts, to 3.0.2 (its code for that:
crmd_alert_fencing_op, later stonith__event_description). From 2.0.0 on, it says when.

Each node of the cluster sends it, with the same ref: that is the word's id, and so it
is one word.

Attributes of the alert: node_map, pairs NODE=HOST for nodes whose name in the cluster
is not Nova's name of the compute host; words, the directory.
"""

import os
import re
import sys
import time
from collections.abc import Mapping

from nova_ha_scheduler.exits import DONE, ERROR, WRONG
from nova_ha_scheduler.printable import flat
from nova_ha_scheduler.spool.word import DIRECTORY, ID, LENGTHS, Word, give

PROG = "nova-ha-pacemaker-alert"

_NOTIFIES = "st_notify_fence"
_PERSON = "a human"

# Names of nodes and clients have no blanks; what else stands there is Pacemaker's, for
# what it does not know. The result may quote whatever an agent has said.
_OPERATION = re.compile(
    r"Operation (?P<action>\S+) of (?P<node>\S+)"
    rf" by (?P<by>{_PERSON}|the cluster|\S+)"
    r" for (?P<client>a client|\S+)@(?P<origin>a node|\S+):"
    rf" (?P<result>.+) \(ref=(?P<ref>{ID.pattern})\)",
    re.DOTALL,
)
_OK = re.compile(r"OK( \(.*\))?", re.DOTALL)


class NotConfirmed(Exception):
    """Why there is no word. :ivar code: the exit code."""

    def __init__(self, words: str, code: int = DONE) -> None:
        super().__init__(words)
        self.code = code


def main() -> int:
    """:returns: 0 if the word was given, or there was none to give; 1 if a person has
    to give it; 2 if it was not Pacemaker who called. Pacemaker logs what is said."""
    alert: Mapping[str, str] = os.environ
    if not alert.get("CRM_alert_kind"):
        _say(
            "this is an alert agent, which Pacemaker calls: pcs alert create "
            f"path={PROG}; by hand it is nova-ha confirm-fenced HOST"
        )
        return WRONG
    directory = alert.get("words") or DIRECTORY
    try:
        found = word_of(alert, time.time())
        if found is not None:
            word, ref = found
            give(word, directory, ref)
            _say(f"{word.host}: the trigger on this machine is told")
    except NotConfirmed as error:
        _say(str(error))
        return error.code
    except OSError as error:
        _say(
            f"the word cannot be given: {directory}: {error.strerror}: see that the "
            "trigger is installed here and that Pacemaker's user may write there; "
            "nova-ha confirm-fenced does it by hand"
        )
        return ERROR
    return DONE


def word_of(alert: Mapping[str, str], now: float) -> tuple[Word, str] | None:
    """The word that an alert's environment is, and its id; None: it is about something
    else.

    :raises NotConfirmed: it is no proof.
    """
    if alert.get("CRM_alert_kind") != "fencing":
        return None
    node = alert.get("CRM_alert_node", "")
    if not node:
        raise NotConfirmed("no node is named: nothing is confirmed", ERROR)
    if alert.get("CRM_alert_rc") != "0":
        code = alert.get("CRM_alert_rc") or "no code"
        raise NotConfirmed(f"{node}: fencing failed ({code}): not confirmed")
    said = alert.get("CRM_alert_desc", "")
    operation = _OPERATION.fullmatch(said)
    desc = flat(said, 400)
    if alert.get("CRM_alert_task") != _NOTIFIES or operation is None:
        words = f"{node}: what was done to it is not understood ({desc}): not confirmed"
        raise NotConfirmed(words, ERROR)
    _check(operation, node, desc)
    reason = flat(f"the cluster powered off node {node}: {desc}", LENGTHS["reason"])
    by = "Pacemaker"
    if operation["by"] == _PERSON:
        reason = flat(f"confirmed for node {node}: {desc}", LENGTHS["reason"])
        by = "a person, by {client} on {origin}".format(**operation.groupdict())
    word = Word(_host(alert, node), flat(by, LENGTHS["by"]), reason, _at(alert, now))
    return word, operation["ref"]


def _check(operation: re.Match[str], node: str, desc: str) -> None:
    """:raises NotConfirmed: it was no power-off of this node, or it failed."""
    if operation["node"] != node:
        words = f"{node}: the description is of {operation['node']}: not confirmed"
        raise NotConfirmed(words, ERROR)
    if not _OK.fullmatch(operation["result"]):
        raise NotConfirmed(f"{node}: fencing failed ({desc}): not confirmed")
    if operation["action"] != "off":
        raise NotConfirmed(
            f"{node}: {operation['action']} is no power-off: not confirmed; "
            "set the cluster property stonith-action=off"
        )


def _host(alert: Mapping[str, str], node: str) -> str:
    """Nova's name of the node.

    :raises NotConfirmed: it can be none.
    """
    pairs = (pair.partition("=") for pair in alert.get("node_map", "").split())
    host = next((host for name, _, host in pairs if name == node and host), node)
    if not host.isprintable() or len(host) > LENGTHS["host"]:
        raise NotConfirmed(f"{flat(host, 80)} is no name of a host", ERROR)
    return host


def _at(alert: Mapping[str, str], now: float) -> float:
    """When it was fenced; never later than now.

    :raises NotConfirmed: the alert does not say; it may be old, and the node on again.
    """
    said = alert.get("CRM_alert_timestamp_epoch", "")
    if not re.fullmatch(r"[0-9]{1,12}", said):
        node = alert["CRM_alert_node"]
        raise NotConfirmed(f"{node}: the alert does not say when: not confirmed", ERROR)
    return min(float(said), now)


def _say(words: str) -> None:
    print(f"{PROG}: {flat(words)}", file=sys.stderr)
