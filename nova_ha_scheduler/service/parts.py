# SPDX-License-Identifier: Apache-2.0
"""From nova-ha.conf to the parts of the trigger; what is wrong is said by its name."""

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from oslo_config import cfg

from nova_ha_scheduler import receivers
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.openstack.login import connect, login_place
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.fencing.config import FenceDevices
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service import conf_file
from nova_ha_scheduler.service.leader import coordination
from nova_ha_scheduler.service.openstack_world import ProductionWorld
from nova_ha_scheduler.witnesses import EnabledWitnesses

_BESIDE_WORKERS = 8
"""Requests to one service that others send at the same time: a picture's, a check's."""


def cloud(conf: cfg.ConfigOpts) -> Api:
    """The cloud alone, for what needs neither fence devices nor the journal.

    :raises cfg.Error: a sentence that names the option or the file.
    """
    at_once = conf.evacuation.workers + _BESIDE_WORKERS
    try:
        connection = connect(conf, at_once)
    except cfg.Error:
        if "auth_url" in conf.cloud:  # its options are known: is one misspelt?
            conf_file.require_meant(conf, login=True)
        raise
    conf_file.require_meant(conf, login=True)  # they are known only now
    again = partial(connect, conf, at_once)
    return Api(connection, conf.cloud.timeout, login_place(conf), again)


class Parts:
    """What the service and the command line are made of.

    :raises cfg.Error, FencingFileError: a sentence that names the option or the
        file.
    """

    def __init__(
        self, conf: cfg.ConfigOpts, only: Collection[str] | None = None
    ) -> None:
        self.conf = conf
        self.only = tuple(only or ())
        self.options = self.options_of(conf)
        coordination.check(conf)
        self.fencing = FenceDevices.from_conf(conf)
        witnesses = EnabledWitnesses(conf)
        self.receivers = receivers.named(conf)
        self.api = cloud(conf)
        self.world = ProductionWorld(
            self.api, self.fencing, witnesses, only, self.options.policy
        )
        # The cloud alone is asked by commands that need none of what comes with it.
        from nova_ha_scheduler.journal.database import Database

        self.database = Database(conf)

    def options_of(self, conf: cfg.ConfigOpts) -> Options:
        """What a step goes by."""
        found: Options = trigger_conf.options(conf)
        if self.only:  # who else is late is none of its business
            return replace(found, off_time=0.0, suspect_by_witnesses=False)
        return found

    def fence_with(self, fencing: FenceDevices) -> None:
        """From now on; what is under way goes on as it began."""
        self.fencing = fencing
        self.world.fence_by(fencing)
