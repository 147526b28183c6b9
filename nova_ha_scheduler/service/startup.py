# SPDX-License-Identifier: Apache-2.0
"""Reading nova-ha.conf; what is wrong in it is said by its name."""

import contextlib
import io
import re
from collections.abc import Sequence
from importlib import metadata

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha_scheduler.fencing import conf as fencing_conf
from nova_ha_scheduler.receivers import conf as receivers_conf
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service import conf_file
from nova_ha_scheduler.service.leader import coordination
from nova_ha_scheduler.witnesses import conf as witnesses_conf

_LOG_LEVELS = (
    "alembic=WARN",
    "oslo_service.backend=WARN",
    "sqlalchemy.pool=CRITICAL",
    "sushy=CRITICAL",
)
"""Beside those of oslo.log. A connection that is lost while it goes back into the pool
has a traceback there; that the journal cannot be used is said by the journal. sushy has
an error and two warnings for each look at a BMC that knows no sessions; what a BMC
answers is said by the history."""

_QUOTED = re.compile(r": '.*'$", re.DOTALL)
"""At the end of oslo.config's sentence: the line, which may hold a password."""

PROJECT, NAME = "nova-ha-scheduler", "nova-ha"


def load(
    prog: str, arguments: Sequence[str], for_logging: bool = True
) -> cfg.ConfigOpts:
    """Read the configuration, and make sure that all that it says can be meant.

    :param arguments: see read().
    :raises cfg.Error: it names the file, the section and the option.
    """
    conf = read(prog, arguments, for_logging)
    conf_file.require_meant(conf)
    return conf


def read(
    prog: str,
    arguments: Sequence[str],
    for_logging: bool = True,
    description: str | None = None,
    epilog: str | None = None,
) -> cfg.ConfigOpts:
    """Read the configuration; by default /etc/nova-ha-scheduler/nova-ha.conf.

    :param arguments: ``--config-file``, ``--config-dir`` and oslo.log's.
    :param description, epilog: what ``--help`` says of the program.
    :param for_logging: whether oslo.log, which knows one configuration of a process,
        may take this one for it.
    :raises cfg.Error: a file is missing, or is no configuration file.
    """
    conf = cfg.ConfigOpts()
    if for_logging:
        logging.register_options(conf)
    else:
        _register_logging(conf)
    levels = [*logging.get_default_log_levels(), *_LOG_LEVELS]
    logging.set_defaults(default_log_levels=levels)
    trigger_conf.register_opts(conf)
    witnesses_conf.register_opts(conf)
    fencing_conf.register_opts(conf)
    coordination.register_opts(conf)
    files = cfg.find_config_files(PROJECT, NAME)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            conf(
                list(arguments),
                project=PROJECT,
                prog=prog,
                default_config_files=files,
                description=description,
                epilog=epilog,
            )
    except cfg.ConfigFileParseError as error:
        raise cfg.Error(_QUOTED.sub("", str(error))) from None
    except SystemExit as end:  # so oslo.config ends programs, also for a file's sake
        if not end.code:
            raise
        *_, last = said.getvalue().splitlines() or [f"exit code {end.code}"]
        raise cfg.Error(last.removeprefix(f"{prog}: error: ")) from None
    with contextlib.suppress(cfg.ConfigFileValueError):  # said with the file, later
        receivers_conf.register_named(conf)
    return conf


def _register_logging(conf: cfg.ConfigOpts) -> None:
    """The same options, by the list that oslo.log keeps for oslo-config-generator."""
    (entry,) = metadata.entry_points(group="oslo.config.opts", name="oslo.log")
    for group, opts in entry.load()():
        conf.register_cli_opts(opts, group=group)
