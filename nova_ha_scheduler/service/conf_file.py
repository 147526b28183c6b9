# SPDX-License-Identifier: Apache-2.0
"""What nova-ha.conf says, and nobody can have meant: oslo.config passes over it.

========================  ========================================================
a section nobody knows    an error, whatever stands in it
an option nobody knows    the same
an option given twice     the same: the last one would count; in two files, it does
a value that cannot be    the same, at the start and not when it is first wanted
========================  ========================================================
"""

import functools
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from oslo_config import cfg

from nova_ha_scheduler.spelling import hint

LIBRARIES = (
    "oslo.concurrency",
    "oslo.db",
    "oslo.log",
    "oslo.messaging",
    "oslo.service.periodic_task",
    "oslo.service.service",
    "oslo.service.sslutils",
)
"""The libraries whose options, not all of which are registered when the file is read,
stand in nova-ha.conf: by the names under which oslo-config-generator knows them."""

SECTIONS = frozenset(
    {
        *("database", "oslo_concurrency", "ssl"),
        *("oslo_messaging_kafka", "oslo_messaging_notifications"),
        "oslo_messaging_rabbit",
    }
)
"""Theirs, beside [DEFAULT]."""

_UNLISTED = frozenset({"oslo_messaging_metrics"})
"""oslo.messaging reads it, and does not tell what may stand there."""

_DEFAULT = "DEFAULT"


def require_meant(
    conf: cfg.ConfigOpts, login: bool = False, whole: bool = False
) -> None:
    """
    :param login: whether the options of [cloud] auth_type are registered; if not, what
        stands in [cloud] is not looked at.
    :param whole: look also at the sections of libraries, which are imported for that.
    :raises cfg.Error: it names the file, the section and the option.
    """
    passed_over = _UNLISTED if login else _UNLISTED | {"cloud"}
    if not whole:
        passed_over |= {name for name in SECTIONS if name not in conf}
    for path in _files(conf):
        for problem in _problems(path, conf, passed_over):
            raise cfg.Error(problem)
    _read_all(conf)


def _files(conf: cfg.ConfigOpts) -> Iterator[str]:
    yield from conf.config_file or ()
    for folder in conf.config_dir or ():
        yield from sorted(str(path) for path in Path(folder).glob("*.conf"))


def _problems(
    path: str, conf: cfg.ConfigOpts, passed_over: Collection[str]
) -> Iterator[str]:
    sections: dict[str, dict[str, list[str]]] = {}
    cfg.ConfigParser(path, sections).parse()
    elsewhere = sections.get("cloud", {}).get("auth_section", [])
    for section, settings in sections.items():
        if section in passed_over or section in elsewhere:
            continue
        names = _names(conf, section)
        if names is None:
            groups = [name for name in conf if _is_group(conf, name)]
            meant = hint(section, [*groups, *SECTIONS, _DEFAULT])
            yield f"{path}: there is no section [{section}]{meant}"
            continue
        given = Counter[str]()
        for name, values in settings.items():
            given[name.replace("-", "_")] += len(values)
        for name, times in given.items():
            if name not in names and name not in _of_libraries().get(section, {}):
                yield f"{path}: [{section}] has no option {name}{hint(name, names)}"
            elif times > 1 and not _of_libraries().get(section, {}).get(name):
                yield f"{path}: [{section}] {name} stands there {times} times"


def _names(conf: cfg.ConfigOpts, section: str) -> Iterable[str] | None:
    """The options of a section; None: there is no such section."""
    if section == _DEFAULT:
        return {name for name in conf if not _is_group(conf, name)}
    if section in conf and _is_group(conf, section):
        return {name.replace("-", "_") for name in conf[section]}
    return set(_of_libraries()[section]) if section in SECTIONS else None


def _is_group(conf: cfg.ConfigOpts, name: str) -> bool:
    try:
        return isinstance(conf[name], cfg.ConfigOpts.GroupAttr)
    except cfg.Error:
        return False  # an option with a value that cannot be


@functools.cache
def _of_libraries() -> Mapping[str, Mapping[str, bool]]:
    """By section and name: whether an option may be given several times. Importing all
    that takes long, and is only needed for what is not known without."""
    found: dict[str, dict[str, bool]] = {section: {} for section in SECTIONS}
    for entry in metadata.entry_points(group="oslo.config.opts"):
        if entry.name not in LIBRARIES:
            continue
        for group, opts in entry.load()():
            names = found.setdefault(str(group or _DEFAULT), {})
            for opt in opts:
                names[opt.dest] = isinstance(opt, cfg.MultiOpt)
                for old in opt.deprecated_opts:
                    section = found.setdefault(str(old.group or group or _DEFAULT), {})
                    section[(old.name or opt.dest).replace("-", "_")] = False
    return found


def _read_all(conf: cfg.ConfigOpts) -> None:
    """oslo.config looks at a value when it is read."""
    for name in conf:
        group = conf[name] if _is_group(conf, name) else None
        for option in group if group is not None else (name,):
            section = _DEFAULT if group is None else name
            try:
                _ = conf[name] if group is None else group[option]
            except cfg.Error as error:
                raise cfg.Error(_told(f"[{section}] {option}", str(error))) from None


def _told(option: str, said: str) -> str:
    """With the file and the reason, both of which oslo.config has hidden."""
    file = re.search(r"detail='([^']+)'", said)
    words = f"{option}: {said.partition(' is not valid: ')[2] or said}"
    return f"{file[1]}: {words}" if file else words
