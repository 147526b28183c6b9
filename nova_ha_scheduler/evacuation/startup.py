# SPDX-License-Identifier: Apache-2.0
"""From nova-ha.conf to the parts of the trigger; what is wrong is said by its name."""

from collections.abc import Collection, Sequence

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha_scheduler import spelling
from nova_ha_scheduler.cluster.model import Picture, Scope
from nova_ha_scheduler.cluster.openstack.api import Api, connect
from nova_ha_scheduler.evacuation import conf as trigger_conf
from nova_ha_scheduler.evacuation import coordination, detect
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.world import ProductionWorld
from nova_ha_scheduler.fencing import conf as fencing_conf
from nova_ha_scheduler.fencing.config import Fencing
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.witnesses import Witnesses
from nova_ha_scheduler.witnesses import conf as witnesses_conf

_BESIDE_WORKERS = 8
"""Requests to one service that others send at the same time: a picture's, a check's."""

_LOG_LEVELS = ("alembic=WARN", "sqlalchemy.pool=CRITICAL", "sushy=CRITICAL")
"""Beside those of oslo.log. A connection that is lost while it goes back into the pool
has a traceback there; that the journal cannot be used is said by the journal. sushy has
an error and two warnings for each look at a BMC that knows no sessions; what a BMC
answers is said by the history."""

PROJECT, NAME = "nova-ha-scheduler", "nova-ha"


def load(prog: str, arguments: Sequence[str]) -> cfg.ConfigOpts:
    """Read the configuration; by default /etc/nova-ha-scheduler/nova-ha.conf.

    :param arguments: ``--config-file``, ``--config-dir`` and oslo.log's.
    :raises cfg.Error: a file is missing or holds what is no option or no value.
    """
    conf = cfg.ConfigOpts()
    logging.register_options(conf)
    levels = [*logging.get_default_log_levels(), *_LOG_LEVELS]
    logging.set_defaults(default_log_levels=levels)
    trigger_conf.register_opts(conf)
    witnesses_conf.register_opts(conf)
    fencing_conf.register_opts(conf)
    coordination.register_opts(conf)
    files = cfg.find_config_files(PROJECT, NAME)
    conf(list(arguments), project=PROJECT, prog=prog, default_config_files=files)
    return conf


def cloud(conf: cfg.ConfigOpts) -> Api:
    """The cloud alone, for what needs neither fence devices nor the journal.

    :raises cfg.Error: a sentence that names the option or the file.
    """
    at_once = conf.evacuation.workers + _BESIDE_WORKERS
    api = Api(connect(conf, at_once), conf.cloud.timeout)
    check_names(conf)  # those of [cloud] are known only now
    return api


class Parts:
    """What the service and the command line are made of.

    :raises cfg.Error, fencing.ConfigError, CloudUnreachable, JournalError: a sentence
        that names the option, the file or the host.
    """

    def __init__(
        self, conf: cfg.ConfigOpts, only: Collection[str] | None = None
    ) -> None:
        self.conf = conf
        self.options: Options = trigger_conf.options(conf)
        coordination.check(conf)
        self.fencing = Fencing.from_conf(conf)
        witnesses = Witnesses(conf)
        self.api = cloud(conf)
        self.world = ProductionWorld(self.api, self.fencing, witnesses, only)
        self.database = Database(conf)

    def require_methods(self) -> Picture:
        """Make sure that each protected host can be fenced.

        :raises fencing.ConfigError: it names the hosts.
        :raises CloudUnreachable: which hosts these are is not known.
        """
        picture = self.world.observe(Scope(destinations=True))
        self.fencing.require(host.name for host in detect.protected(picture))
        return picture


def check_names(conf: cfg.ConfigOpts) -> None:
    """Options that nobody has heard of are errors.

    :raises cfg.Error: it names the file, the group and the option.
    """
    for path in conf.config_file or ():
        for problem in spelling.strange_options(path, conf):
            raise cfg.Error(problem)
