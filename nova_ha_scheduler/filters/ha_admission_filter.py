# SPDX-License-Identifier: Apache-2.0
"""Protected servers are admitted where they could be recovered."""

from collections.abc import Iterable
from typing import Any

import nova.conf
from nova.scheduler import filters
from oslo_log import log as logging

from nova_ha_scheduler.admission.judge import Judge
from nova_ha_scheduler.filters.rule_filter import count_words
from nova_ha_scheduler.rules.terms import Refusal, Request

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
        self._judge = Judge(CONF)

    def filter_all(self, filter_obj_list: Iterable[Any], spec_obj: Any) -> list[Any]:
        """The hosts that pass, of nova.scheduler.host_manager.HostState."""
        hosts, mode = list(filter_obj_list), self._judge.mode
        if not hosts or mode == "off":
            return hosts
        request, refusals = self._judge.ask(spec_obj, hosts)
        passed = [h for h, no in zip(hosts, refusals, strict=True) if no is None]
        if len(passed) < len(hosts):
            self._log(request, hosts, refusals, bool(passed))
        return passed if mode == "enforce" else hosts

    def _log(
        self,
        request: Request,
        hosts: list[Any],
        refusals: list[Refusal | None],
        some_pass: bool,
    ) -> None:
        words = count_words(no for no in refusals if no)
        if self._judge.mode == "audit":
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
