# SPDX-License-Identifier: Apache-2.0
"""Words of who may not read nova-ha.conf, through the trigger's directory."""

import os
import pwd
import sys
import time

from oslo_config import cfg

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import answers
from nova_ha_scheduler.cli.answers import Answer
from nova_ha_scheduler.cli.app import Configured
from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.records.commands import Command
from nova_ha_scheduler.spool import word
from nova_ha_scheduler.spool.word import Word

_POLL_SECONDS = 0.2


def is_needed(app: Configured, directory: str) -> bool:
    """Whether the configuration is not for this user's eyes, and there is a directory.

    :raises cfg.Error: it is wrong otherwise.
    """
    try:
        readable = bool(app.conf.config_file)
    except cfg.ConfigFilesPermissionDeniedError:
        readable = False
    return not readable and os.path.isdir(directory)


def ask(orders: list[Command], by: str, directory: str) -> list[Answer]:
    """Give the words of these orders, and wait for an answer to each.

    :param by: the name alone: the trigger sees whose the file is.
    :raises Refused: they cannot be given.
    """
    print(
        f"{_user()} may not read nova-ha.conf: the word is given to the trigger on "
        f"this machine, in {directory}",
        file=sys.stderr,
    )
    ids = {}
    for order in orders:
        lasts = order.expires_at - order.at
        said = Word(order.host, by, order.reason, order.at, lasts)
        try:
            ids[order.id] = word.give(said, directory)
        except OSError as error:
            words = "who gives a word has to be in the group nova-ha-word"
            raise Refused(f"{directory}: {error.strerror}: {words}") from error
    end = time.monotonic() + answers.WAIT_SECONDS
    found: dict[str, Answer] = {}
    while len(found) < len(orders) and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
        for order in orders:
            if said_ := word.answer(ids[order.id], directory):
                words, refused = said_
                code = exits.REFUSED if refused else exits.DONE
                found[order.id] = Answer(order, words, code)
    return [found.get(o.id) or _late(o, ids[o.id], directory) for o in orders]


def _late(order: Command, id: str, directory: str) -> Answer:
    words = "queued: no trigger on this machine has taken it yet"
    if word.is_taken(id, directory):
        words = "queued: it is in the journal, and no trigger has answered yet"
    return Answer(order, words, exits.LATE)


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
