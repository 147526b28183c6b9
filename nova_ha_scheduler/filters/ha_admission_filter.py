# SPDX-License-Identifier: Apache-2.0
"""Protected servers are admitted where they could be recovered."""

import time
from collections.abc import Iterable
from typing import Any

import nova.conf
from nova.scheduler import filters
from oslo_log import log as logging

from nova_ha_scheduler import conf, host_facts
from nova_ha_scheduler.admission import nova as nova_objects
from nova_ha_scheduler.admission.reader import Reader, Unknown
from nova_ha_scheduler.filters.base import count_words
from nova_ha_scheduler.operation import describe
from nova_ha_scheduler.rules.admission import Admission, concerns
from nova_ha_scheduler.rules.model import Operation, Reason, Refusal, Request

LOG = logging.getLogger(__name__)
CONF = nova.conf.CONF


class HAAdmissionFilter(filters.BaseHostFilter):
    """Passes hosts whose servers the reserve could still take, should they die.

    The decision table stands in :mod:`nova_ha_scheduler.rules.admission`. Nothing of a
    request is kept here: nova-scheduler calls one filter from several threads.

    :raises oslo_config.cfg.ConfigFileValueError: from the constructor, so at the
        start of nova-scheduler, for an option with a bad value.
    """

    # A rebuild in place is told apart from what only claims to be one.
    RUN_ON_REBUILD = True
    # What is on the hosts grows with each server of a multi-create.
    run_filter_once_per_request = False

    def __init__(self) -> None:
        conf.policy(CONF)
        options = CONF.ha_scheduler
        self._mode = options.admission
        self._failures = options.admission_failures
        self._allow = options.admission_when_stale == "allow"
        self._timeout = options.lookup_timeout
        path, age = options.admission_file, options.admission_max_age
        self._reader = Reader(path, age, time.time)

    def filter_all(self, filter_obj_list: Iterable[Any], spec_obj: Any) -> list[Any]:
        """The hosts that pass, of nova.scheduler.host_manager.HostState."""
        hosts = list(filter_obj_list)
        if not hosts or self._mode == "off":
            return hosts
        request = describe(spec_obj, self._timeout).request
        if not concerns(request, nova_objects.extra_specs(spec_obj)):
            return hosts
        refusals = self._judge(request, spec_obj, hosts)
        passed = [h for h, no in zip(hosts, refusals, strict=True) if no is None]
        if len(passed) < len(hosts):
            self._log(request, hosts, refusals, bool(passed))
        return passed if self._mode == "enforce" else hosts

    def _judge(
        self, request: Request, spec: Any, hosts: list[Any]
    ) -> list[Refusal | None]:
        """The refusal of each host, if it is refused."""
        try:
            zones = self._reader.zones()
        except Unknown as problem:
            no = Refusal(Reason.RESERVE_UNKNOWN, str(problem))
            return [None if self._allow else no] * len(hosts)
        demand = nova_objects.demand(spec, request.operation is Operation.BOOT)
        admission = Admission(request, demand, zones, self._failures)
        facts = host_facts.memo()
        return [
            admission.refusal(host.host, facts(host), nova_objects.load(host))
            for host in hosts
        ]

    def _log(
        self,
        request: Request,
        hosts: list[Any],
        refusals: list[Refusal | None],
        some_pass: bool,
    ) -> None:
        words = count_words(no for no in refusals if no)
        if self._mode == "audit":
            LOG.info(
                "HAAdmissionFilter: audit: %s would get %s: %s",
                request,
                "not all of the hosts" if some_pass else "no host",
                words,
            )
        elif not some_pass:
            LOG.info("HAAdmissionFilter: no host for %s: %s", request, words)
        elif LOG.isEnabledFor(logging.DEBUG):
            for host, refusal in zip(hosts, refusals, strict=True):
                if refusal:
                    LOG.debug("HAAdmissionFilter: %s: %s", host.host, refusal)
