# SPDX-License-Identifier: Apache-2.0
"""Nova's services and Placement, started inside this process."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nova import config as nova_config
from nova import context as nova_context
from nova import objects
from nova import service as nova_service
from nova.api.openstack import wsgi_app
from nova.compute import rpcapi as compute_rpcapi
from nova.conductor import rpcapi as conductor_rpcapi
from nova.conf import CONF
from nova.db import migration
from nova.objects import host_mapping
from nova.scheduler import request_filter
from nova.scheduler import rpcapi as scheduler_rpcapi
from oslo_config import cfg
from oslo_log import log
from oslo_service import service as oslo_service
from paste import deploy as paste_deploy
from placement import conf as placement_conf
from placement import db_api as placement_db_api
from placement import deploy as placement_deploy

from tests.lib.cloud import cells

CONTROLLER = "controller"

#: They say, again and again, that a client is deprecated and a plugin not installed.
_CHATTERERS = ("neutronclient", "stevedore")

_TOPICS = {
    "nova-conductor": conductor_rpcapi.RPC_TOPIC,
    "nova-scheduler": scheduler_rpcapi.RPC_TOPIC,
    "nova-compute": compute_rpcapi.RPC_TOPIC,
}


class Service(nova_service.Service):
    """A service that stays in the cell where it was started, and that can be halted."""

    _cell: cells.Cell | None = None

    def start(self) -> None:
        self._cell = cells.current()
        super().start()

    def periodic_tasks(self, raise_on_error: bool = False) -> Any:
        with cells.entered(self._cell):
            return super().periodic_tasks(raise_on_error)

    def halt(self) -> None:
        """Answer and report nothing any more, from now on and without a farewell.

        Not ``stop()``: that shuts down executors which all services of this process
        share. Work in flight goes on, unlike with a killed process.
        """
        for name in ("rpcserver", "rpcserver_alt"):  # the second from Nova 34 on
            server = self.__dict__.get(name)
            if server is not None:
                server.stop()
        oslo_service.Service.stop(self)


# As Nova ships it; a plugin that the scheduler loads may append to the list.
_REQUEST_FILTERS = tuple(request_filter.ALL_REQUEST_FILTERS)


def start(binary: str, host: str = CONTROLLER) -> Service:
    """Start a service in the current cell."""
    if binary == "nova-scheduler":  # a new process would have the list anew
        request_filter.ALL_REQUEST_FILTERS[:] = _REQUEST_FILTERS
    arguments = {"host": host, "binary": binary, "topic": _TOPICS[binary]}
    second = getattr(compute_rpcapi, "RPC_TOPIC_ALT", None)
    if binary == "nova-compute" and second:
        arguments["topic_alt"] = second
    service: Service = Service.create(**arguments)
    service.start()
    return service


def configure(conf_file: Path) -> None:
    """Load Nova's configuration and objects, and make its global databases."""
    objects.register_all()
    nova_config.parse_args(["nova"], default_config_files=[str(conf_file)])
    excepthook = sys.excepthook
    log.setup(CONF, "nova")
    sys.excepthook = excepthook  # oslo.log's hides a program's own tracebacks
    for name in _CHATTERERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    migration.db_sync(database="api")
    migration.db_sync(database="main")


@contextlib.contextmanager
def first_start() -> Iterator[None]:
    """Keep three warnings a host out of the log: that Nova sees it the first time."""

    def news(record: logging.LogRecord) -> bool:
        return "first time this service" not in (text := str(record.msg)) and (
            not text.startswith("No compute node record for")
        )

    loggers = [
        logging.getLogger(f"nova.compute.{name}")
        for name in ("manager", "resource_tracker")
    ]
    for logger in loggers:
        logger.addFilter(news)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(news)


def map_cell(name: str, uuid: str, transport: str, database: str) -> Any:
    """Record a cell in the API database, as nova-manage does."""
    mapping = objects.CellMapping(
        nova_context.get_admin_context(),
        uuid=uuid,
        name=name,
        transport_url=transport,
        database_connection=database,
    )
    mapping.create()
    return mapping


def mapped_cell(uuid: str) -> Any:
    """A cell that was recorded."""
    context = nova_context.get_admin_context()
    return objects.CellMapping.get_by_uuid(context, uuid)


def discover_hosts() -> None:
    """Map new computes to their cells, as nova-manage does."""
    host_mapping.discover_hosts(nova_context.get_admin_context())


def reload_configuration() -> None:
    """Read nova.conf again; services see it when they start."""
    CONF.reload_config_files()


def compute_api(paste_file: Path) -> Any:
    """Return the compute API as a WSGI application."""
    wsgi_app._setup_service(CONTROLLER, "osapi_compute")
    return paste_deploy.loadapp(f"config:{paste_file}", name="osapi_compute")


def placement(conf_file: Path) -> Any:
    """Return Placement as a WSGI application."""
    conf = cfg.ConfigOpts()
    placement_conf.register_opts(conf)
    conf([], default_config_files=[str(conf_file)])
    placement_db_api.configure(conf)  # loadapp leaves that to placement's own script
    return placement_deploy.loadapp(conf)
