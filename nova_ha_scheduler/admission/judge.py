# SPDX-License-Identifier: Apache-2.0
"""What admission says about the hosts of a request: for the filter and the weigher."""

import functools
import time
from collections.abc import Sequence
from typing import Any

from oslo_config import cfg

from nova_ha_scheduler import conf, host_facts
from nova_ha_scheduler.admission import nova as nova_objects
from nova_ha_scheduler.admission.reader import Reader, Unknown
from nova_ha_scheduler.operation import describe
from nova_ha_scheduler.rules.admission import Admission, concerns
from nova_ha_scheduler.rules.terms import Operation, Refusal, RefusalReason, Request


@functools.cache
def _reader(path: str, max_age: float) -> Reader:
    """One for all who ask, so that what is wrong with the file is logged once."""
    return Reader(path, max_age, time.time)


class Judge:
    """Nothing of a request is kept here: several threads ask.

    :ivar mode: ``[ha_scheduler] admission``.
    :raises oslo_config.cfg.ConfigFileValueError: an option has a bad value.
    """

    def __init__(self, options: cfg.ConfigOpts) -> None:
        """:param options: nova.conf's."""
        conf.policy(options)
        ours = options.ha_scheduler
        self.mode = ours.admission
        self._failures = ours.admission_failures
        self._allow = ours.admission_when_stale == "allow"
        self._timeout = ours.lookup_timeout
        self._reader = _reader(ours.admission_file, ours.admission_max_age)

    def ask(
        self, spec: Any, hosts: Sequence[Any]
    ) -> tuple[Request, list[Refusal | None]]:
        """The refusal of each host, if it is refused.

        :param spec: a nova.objects.RequestSpec.
        :param hosts: of nova.scheduler.host_manager.HostState.
        """
        request = describe(spec, self._timeout).request
        passed: list[Refusal | None] = [None] * len(hosts)
        if not concerns(request, nova_objects.extra_specs(spec)):
            return request, passed
        try:
            zones = self._reader.zones()
        except Unknown as problem:
            no = Refusal(RefusalReason.RESERVE_UNKNOWN, str(problem))
            return request, passed if self._allow else [no] * len(hosts)
        demand = nova_objects.demand(spec, request.operation is Operation.BOOT)
        admission = Admission(request, demand, zones, self._failures)
        facts = host_facts.memo()
        return request, [
            admission.refusal(host.host, facts(host), nova_objects.load(host))
            for host in hosts
        ]
