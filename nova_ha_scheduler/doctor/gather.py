# SPDX-License-Identifier: Apache-2.0
"""The subject, from the live cloud or from files; and what was wrong on the way."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from oslo_config import cfg

from nova_ha_scheduler import receivers as people
from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import beforehand, fields, parse, tags, whole
from nova_ha_scheduler.cluster.openstack.api import PLACEMENT, READ, Api
from nova_ha_scheduler.cluster.openstack.fields import BadAnswer, Notes
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.picture import Picture, Server
from nova_ha_scheduler.cluster.snapshot import BadFile
from nova_ha_scheduler.cluster.synthetic import BadLine
from nova_ha_scheduler.doctor import access, checks, file_modes, receivers
from nova_ha_scheduler.doctor.finding import Finding, Severity
from nova_ha_scheduler.doctor.nova_conf import NovaConf
from nova_ha_scheduler.doctor.subject import Flavor, Listening, SeenAggregate, Subject
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.fencing import FencingFileError
from nova_ha_scheduler.fencing.config import FenceDevices
from nova_ha_scheduler.health import file
from nova_ha_scheduler.health.problems import Code
from nova_ha_scheduler.journal import JournalError, NoJournal
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.planner import triage
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service import parts
from nova_ha_scheduler.service.notifications import broker
from nova_ha_scheduler.witnesses import EnabledWitnesses

ERROR = Severity.ERROR

T = TypeVar("T")

_SHARES_OF = 500
"""Servers of which it is asked, one by one, whether they have shares."""

_AWAY = (cfg.Error, CloudUnreachable, JournalError)


class Gatherer:
    """Makes a subject of what it is given.

    :ivar found: with the name of the part, what keeps it from being examined.
    :ivar done: the parts that were as they should be.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self.found: list[tuple[str, Finding]] = []
        self.done: list[str] = []
        self._api: Api | None = None
        self._devices = 0
        self._names: Mapping[str, str] = {}
        self.subject = Subject(trigger_conf.options(conf))

    @property
    def asks(self) -> str:
        """Who is asked just now, for people who wait; "": nobody."""
        if self._devices:
            return f"Asking {self._devices} fence devices"
        return self._api.progress if self._api else ""

    def read_nova_conf(self, files: list[str]) -> None:
        """:raises cfg.Error: only of nova-ha.conf; of nova.conf, it is a finding."""
        why = "Nothing of Nova's configuration was checked."
        mend = "name a nova.conf that nova-scheduler can read, or mend it"
        with_nova = self._try("nova-conf", lambda: NovaConf(files), why, mend)
        listening = None
        if broker.configured(self._conf):
            wanted = self._conf.notifications
            listening = Listening(wanted.topic, wanted.exchange)
        self.subject = replace(self.subject, nova=with_nova, listening=listening)

    def read_picture(self, load: Callable[[], Picture]) -> None:
        """From a file; what is wrong with that is a finding."""
        why, mend = "No host and no server can be examined.", "name another file"
        errors = (BadFile, BadLine)
        picture = self._try("picture", load, why, mend, errors)
        self.subject = replace(self.subject, picture=picture)

    def try_parts(self) -> FenceDevices | None:
        """The configuration, the fencing file, the journal."""
        self._look_at_files()
        self._try(
            "witnesses",
            lambda: EnabledWitnesses(self._conf),
            "The trigger does not start.",
            "mend [witnesses] in nova-ha.conf",
        )
        self._look_at_receivers()
        self._look_at_journal()
        fencing = self._try(
            "fencing-file",
            lambda: FenceDevices.from_conf(self._conf),
            "The trigger does not start.",
            "mend the file that [fencing] config_file names",
            (FencingFileError,),
        )
        if fencing is not None:
            methods, unusable = fencing.methods, fencing.unusable
            self.subject = replace(self.subject, methods=methods, unusable=unusable)
        return fencing

    def _look_at_receivers(self) -> None:
        found = self._try(
            "receivers",
            lambda: people.named(self._conf),
            "The trigger does not start.",
            "mend the section of the receiver in nova-ha.conf",
        )
        for check in receivers.CHECKS if found else ():
            self._note(checks.name_of(check), list(check((found or {}).values())))

    def _note(self, name: str, found: list[Finding]) -> None:
        self.found += [(name, finding) for finding in found]
        if not found:
            self.done.append(name)

    def _look_at_journal(self) -> None:
        try:
            Database(self._conf).check()
        except NoJournal as error:
            finding = self._no_journal(error.what)
        except (JournalError, cfg.Error) as error:
            finding = Finding(
                ERROR,
                str(error),
                "Without its journal the trigger does nothing: what it means to do is "
                "written down first.",
                "do what the sentence says, or mend [database] connection",
            )
        else:
            self.done.append("journal")
            return
        self.found.append(("journal", finding))

    def _no_journal(self, what: str) -> Finding:
        """In order before the first start; not while a trigger runs here."""
        directory = self._conf.health.directory
        if directory:
            said = file.read(Path(directory, file.NAME), time.time())
            if said["code"] != Code.CANNOT_TELL:
                return Finding(
                    ERROR,
                    f"{what}, and a trigger runs on this machine",
                    "Its journal is another one, or was removed: commands neither show "
                    "nor order what it does.",
                    "[database] connection as the trigger has it, or restart "
                    "nova-ha-evacuator",
                )
        return Finding(
            Severity.INFO,
            what,
            "The journal is made at the first start of nova-ha-evacuator.",
            "systemctl enable --now nova-ha-evacuator, once no error is found here",
        )

    def _look_at_files(self) -> None:
        check = file_modes.configuration_open
        self._note(checks.name_of(check), list(check(self._conf)))

    def ask_devices(self, fencing: FenceDevices) -> None:
        self._devices = len(fencing.with_device)
        fencing.hear_names(self._names)
        seen = self.subject.picture.hosts if self.subject.picture else {}
        up = [name for name, host in seen.items() if host.heard]
        broken = fencing.broken(self._conf.fencing.check_parallelism, up)
        self.subject = replace(self.subject, broken=broken)

    def ask_cloud(self) -> None:
        """Look at everything, if it lets us."""
        why = "The trigger cannot see or do anything."
        mend = "mend [cloud] in nova-ha.conf, or the service that is named"
        before = len(self.found)
        api = self._try(
            "configuration",
            lambda: parts.cloud(self._conf),
            "The trigger does not start.",
            "mend nova-ha.conf",
        )
        if api is None:
            return
        self._api = api
        for check in (*access.FIRST, access.too_old, *access.CHECKS):
            if not self._report(check, api, why, mend):
                break
        if any(finding.severity is ERROR for _, finding in self.found[before:]):
            return  # what is hidden makes no picture
        seen = self._try("cloud", lambda: _look(api), why, mend)
        if seen is not None:
            picture, flavors, aggregates, self._names = seen
            picture, locked = self._look_closer(api, picture)
            self.subject = replace(
                self.subject,
                picture=picture,
                live=True,
                flavors=flavors,
                aggregates=aggregates,
                locked=locked,
            )

    def _look_closer(
        self, api: Api, picture: Picture
    ) -> tuple[Picture, Mapping[str, Sequence[str]] | None]:
        """The picture with what is asked for each server; and whose keys cannot be
        read. Neither is worth an error: a recovery goes without."""
        wanted = {s.uuid: s for s in _protected(picture, self.subject.options)}
        locked: Mapping[str, Sequence[str]] | None = None
        with contextlib.suppress(CloudUnreachable):
            locked = beforehand.locked(api, wanted)
        with contextlib.suppress(CloudUnreachable):
            if len(wanted) <= _SHARES_OF:
                hosts = {server.host for server in wanted.values()}
                return beforehand.with_shares(api, picture, hosts), locked
        words = f"whether {len(wanted)} protected servers have shares was not asked"
        why = "Nova evacuates no server with a share."
        finding = Finding(Severity.INFO, words, why, "nova-ha plan HOST asks for them")
        self.found.append(("shares", finding))
        return picture, locked

    def _report(
        self,
        check: Callable[[Api], Iterable[Finding]],
        api: Api,
        why: str,
        mend: str,
    ) -> bool:
        """Whether it is worth while to ask on."""
        try:
            found = list(check(api))
        except _AWAY as error:
            self.found.append(("cloud", Finding(ERROR, str(error), why, mend)))
            return False
        self._note(checks.name_of(check), found)
        return not (found and check in (*access.FIRST, access.too_old))

    def _try(
        self,
        name: str,
        do: Callable[[], T],
        why: str,
        mend: str,
        errors: tuple[type[Exception], ...] = _AWAY,
    ) -> T | None:
        try:
            result = do()
        except errors as error:
            self.found.append((name, Finding(ERROR, str(error), why, mend)))
            return None
        self.done.append(name)
        return result


def _protected(picture: Picture, options: Options) -> Iterator[Server]:
    """The servers that would be evacuated, were their host to die."""
    for server in picture.servers.values():
        host = picture.hosts.get(server.host)
        protected = host is not None and vocabulary.HA in host.facts.flags
        if protected and host and not triage.why_left(server, host.facts, options):
            yield server


def _look(
    api: Api,
) -> tuple[Picture, tuple[Flavor, ...], tuple[SeenAggregate, ...], dict[str, str]]:
    """With what the machines call themselves, by host."""
    picture, notes = whole.take(api, SystemClock()), Notes()
    flavors = tuple(_flavors(api, notes))
    hypervisors = Lists(api, notes).hypervisors()
    names = {one.host: one.name for one in hypervisors if one.name}
    nodes = {one.node: one.host for one in hypervisors}
    aggregates = tuple(_aggregates(api, notes, nodes))
    known = {(one.kind, one.name) for one in picture.unread}
    more = (one for one in notes.unread if (one.kind, one.name) not in known)
    picture = replace(picture, unread=(*picture.unread, *more))
    return picture, flavors, aggregates, names


def _flavors(api: Api, notes: Notes) -> Iterator[Flavor]:
    """All, also those that only some tenants may use."""
    found = api.pages("compute", "/flavors/detail", "flavors", READ, is_public="None")
    return notes.read("flavor", found, _flavor)


def _flavor(raw: Any) -> Flavor:
    shown = fields.fields(raw)
    flavor = {**shown, "ephemeral": shown.get("OS-FLV-EXT-DATA:ephemeral")}
    # As if it was booted from a volume.
    needed = parse.requirements({"flavor": flavor, "image": None})
    return Flavor(
        fields.words(shown, "name") or fields.identity(shown),
        needed.flavor["extra_specs"],
        needed.resources,
        needed.traits,
        needed.forbidden,
    )


def _aggregates(
    api: Api, notes: Notes, nodes: Mapping[str, str]
) -> Iterator[SeenAggregate]:
    """One request to Placement for each that says one of our words."""
    asked = Lists(api, notes)
    for aggregate in notes.read(tags.KIND, asked.aggregates(), _aggregate):
        if not vocabulary.aggregate_keys(aggregate.metadata):
            yield aggregate
            continue
        path, of_it = "/resource_providers", {"member_of": aggregate.uuid}
        found = api.get("placement", path, PLACEMENT, of_it)
        shown = fields.listed(found, "resource_providers", f"placement GET {path}")
        members = set(notes.read("resource provider", shown, _provider))
        mirrored = frozenset(nodes[node] for node in members & nodes.keys())
        yield replace(aggregate, mirrored=mirrored)


def _aggregate(raw: Any) -> SeenAggregate:
    said = tags.read(raw)
    if said.why:
        raise BadAnswer(said.why)
    uuid = fields.identity(raw, "uuid")
    return SeenAggregate(said.name, uuid, said.metadata, said.hosts)


def _provider(raw: Any) -> str:
    return fields.identity(fields.fields(raw), "uuid")
