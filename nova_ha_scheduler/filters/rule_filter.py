# SPDX-License-Identifier: Apache-2.0
"""What the filters share: a rule, asked once for each kind of host."""

import collections
from collections.abc import Iterable
from typing import Any, ClassVar

import nova.conf
from nova.scheduler import filters
from oslo_log import log as logging

from nova_ha_scheduler import conf, host_facts, prefilter
from nova_ha_scheduler.operation import describe
from nova_ha_scheduler.rules.terms import Refusal, Request, Rule

LOG = logging.getLogger(__name__)
CONF = nova.conf.CONF

_UNKNOWN: Any = object()


class RuleFilter(filters.BaseHostFilter):
    """Asks a rule about each host.

    Hosts in the same aggregates are the same to a rule, so it is asked once for each
    combination of aggregates; a further host costs a look-up in a dict. Nothing of a
    request is kept here: nova-scheduler calls one filter from several threads.

    :raises oslo_config.cfg.ConfigFileValueError: from the constructor, so at the
        start of nova-scheduler, for an option with a bad value.
    """

    RULE: ClassVar[Rule]

    # A rebuild in place is told apart from what only claims to be one.
    RUN_ON_REBUILD = True
    # All servers of a multi-create have one flavor and no source.
    run_filter_once_per_request = True

    def __init__(self) -> None:
        self._policy = conf.policy(CONF)
        self._timeout = CONF.ha_scheduler.lookup_timeout
        if CONF.ha_scheduler.placement_prefilter:
            prefilter.install(self.RULE, self._policy, self._timeout)

    def filter_all(self, filter_obj_list: Iterable[Any], spec_obj: Any) -> list[Any]:
        """The hosts that pass, of nova.scheduler.host_manager.HostState."""
        hosts = list(filter_obj_list)
        request = describe(spec_obj, self._timeout).request
        if not hosts or not self.RULE.concerns(request, self._policy):
            return hosts
        verdicts: dict[tuple[int, ...], Refusal | None] = {}
        passed, source = [], request.source
        for host in hosts:
            # The aggregates live as long as the hosts do: their ids are unique here.
            kind = (host.host == source, *map(id, host.aggregates))
            refusal = verdicts.get(kind, _UNKNOWN)
            if refusal is _UNKNOWN:
                refusal = verdicts[kind] = self._judge(request, host)
            if refusal is None:
                passed.append(host)
        if not passed:
            self._log_no_host(request, hosts)
        elif LOG.isEnabledFor(logging.DEBUG) and len(passed) < len(hosts):
            for host in hosts:
                if refusal := self._judge(request, host):
                    LOG.debug("%s: %s: %s", type(self).__name__, host.host, refusal)
        return passed

    def _judge(self, request: Request, host: Any) -> Refusal | None:
        stays = host.host == request.source
        return self.RULE.refusal(request, host_facts.of_host(host), stays, self._policy)

    def _log_no_host(self, request: Request, hosts: list[Any]) -> None:
        refusals = (self._judge(request, host) for host in hosts)
        words = count_words(refusal for refusal in refusals if refusal)
        LOG.info("%s: no host for %s: %s", type(self).__name__, request, words)


def count_words(refusals: Iterable[Refusal]) -> str:
    """'zone nfs-a required: 7 hosts in nfs-b, 2 in no zone; ...'"""
    counts: dict[str, collections.Counter[str]] = {}
    for refusal in refusals:
        found = counts.setdefault(refusal.requirement, collections.Counter())
        found[refusal.finding] += 1
    return "; ".join(
        f"{requirement}: {_count_words(found)}"
        for requirement, found in sorted(counts.items())
    )


def _count_words(found: collections.Counter[str]) -> str:
    """'7 hosts in nfs-b, 2 in no zone', most first."""
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    (words, first), *rest = ordered
    text = f"{first} {'host' if first == 1 else 'hosts'} {words}"
    return ", ".join([text, *(f"{number} {words}" for words, number in rest)])
