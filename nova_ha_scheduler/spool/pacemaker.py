# SPDX-License-Identifier: Apache-2.0
"""``nova-ha-pacemaker-alert``, a Pacemaker alert agent: when the cluster has powered
off a node, it gives its word for that to the trigger on this machine. docs/evacuator.md
tells how it is set up.

Only a fencing action "off" that succeeded is proof. "reboot" is none: the host is on
again in a moment, and its servers may run there.

A real alert (Pacemaker 2.1) has the task st_notify_fence, and says the action in its
description alone: ``Operation off of a1 by n1 for pacemaker-controld.43@n1: OK
(ref=...)``. One whose task is the action is understood, too.

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
from nova_ha_scheduler.spool.word import DIRECTORY, Word, give

PROG = "nova-ha-pacemaker-alert"

_OPERATION = re.compile(
    r"Operation (?P<action>\S+) of (?P<node>\S+) by (?P<by>.+?) "
    r"for (?P<client>.+?): (?P<result>.*)",
    re.DOTALL,
)
_NOTIFIES = "st_notify_fence"
_PERSON = "a human"


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
        word = word_of(alert, time.time())
        if word is not None:
            give(word, directory)
            _say(f"{word.host}: the trigger on this machine is told")
    except NotConfirmed as error:
        _say(str(error))
        return error.code
    except OSError as error:
        _say(
            f"the word cannot be given: {directory}: {error.strerror}: see that the "
            "trigger is installed here and that this user is in the group "
            "nova-ha-word; nova-ha confirm-fenced does it by hand"
        )
        return ERROR
    return DONE


def word_of(alert: Mapping[str, str], now: float) -> Word | None:
    """The word that an alert's environment is; None: it is about something else.

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
    desc = flat(alert.get("CRM_alert_desc", ""), 400)
    by = _by(alert.get("CRM_alert_task", ""), desc, node)
    reason = f"the cluster powered off node {node}: {desc or 'no description'}"
    return Word(_host(alert, node), by, reason, _at(alert, now))


def _by(task: str, desc: str, node: str) -> str:
    """Whose word it is, if the action was a power-off that succeeded."""
    operation = _OPERATION.match(desc)
    action = task
    if operation is not None and task in (_NOTIFIES, operation["action"]):
        action = operation["action"]
        if operation["node"] != node:
            words = f"{node}: the description is of {operation['node']}: not confirmed"
            raise NotConfirmed(words, ERROR)
        if operation["result"].split(" ")[0] != "OK":
            raise NotConfirmed(f"{node}: fencing failed ({desc}): not confirmed")
    elif task == _NOTIFIES:
        words = f"{node}: what was done to it is not told ({desc}): not confirmed"
        raise NotConfirmed(words, ERROR)
    if action != "off":
        raise NotConfirmed(
            f"{node}: {action or 'no action'} is no power-off: not confirmed; "
            "set the cluster property stonith-action=off"
        )
    if operation is not None and operation["by"] == _PERSON:
        return "a person, by stonith_admin of Pacemaker"
    return "Pacemaker"


def _host(alert: Mapping[str, str], node: str) -> str:
    pairs = (pair.partition("=") for pair in alert.get("node_map", "").split())
    return next((host for name, _, host in pairs if name == node and host), node)


def _at(alert: Mapping[str, str], now: float) -> float:
    """When it was fenced, as far as the alert says so; never later than now."""
    said = alert.get("CRM_alert_timestamp_epoch", "")
    return min(float(said), now) if re.fullmatch(r"\d{1,12}", said) else now


def _say(words: str) -> None:
    print(f"{PROG}: {flat(words)}", file=sys.stderr)
