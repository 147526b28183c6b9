# SPDX-License-Identifier: Apache-2.0
"""The rules as aggregates in the scheduler's Placement query.

Placement hands the scheduler at most ``[scheduler] max_placement_results`` hosts, and
only then do filters run: a rule that lives in a filter alone starves in a larger
cloud. Nova mirrors its host aggregates to Placement, so the rules are asked there
too. The filters stay the authority: what fails here is logged and asked of nobody.
"""

from typing import Any

from nova import objects
from nova.scheduler import request_filter
from oslo_log import log as logging

from nova_ha_scheduler.operation import describe
from nova_ha_scheduler.rules.terms import (
    AggregateQuery,
    Policy,
    Request,
    Rule,
    TaggedAggregate,
)

LOG = logging.getLogger(__name__)

# The query is one URL; web servers cut it off near 8 KiB, some 200 UUIDs.
MAX_AGGREGATES = 150


def install(rule: Rule, policy: Policy, timeout: float) -> None:
    """Have Placement asked for a rule, too; once for each rule.

    ALL_REQUEST_FILTERS is what nova-scheduler walks before its query to Placement.
    It has no configuration option, so a filter that is loaded does this.
    """
    for installed in request_filter.ALL_REQUEST_FILTERS:
        if isinstance(installed, PreFilter):
            break
    else:
        installed = PreFilter(policy, timeout)
        request_filter.ALL_REQUEST_FILTERS.append(installed)
    installed.add(rule)


class PreFilter:
    """A request filter of Nova's: called with each RequestSpec but a rebuild's."""

    def __init__(self, policy: Policy, timeout: float) -> None:
        self._policy = policy
        self._timeout = timeout
        self._rules: tuple[Rule, ...] = ()

    def add(self, rule: Rule) -> None:
        if rule not in self._rules:
            self._rules += (rule,)

    def __call__(self, ctxt: Any, request_spec: Any) -> bool:
        """Narrow the request; whatever goes wrong costs no boot.

        :returns: whether it was narrowed.
        """
        try:
            return self._narrow(request_spec)
        except Exception:
            LOG.exception(
                "Placement is not asked by the rules of nova-ha-scheduler for server "
                "%s. The filters alone decide.",
                request_spec.instance_uuid,
            )
            return False

    def _narrow(self, spec: Any) -> bool:
        scheduling = describe(spec, self._timeout)
        request = scheduling.request
        rules = [r for r in self._rules if r.concerns(request, self._policy)]
        if not rules:
            return False
        tagged = scheduling.aggregates.tagged
        queries = [rule.query(request, tagged, self._policy) for rule in rules]
        # Where no aggregate qualifies, Placement has no words for it; the filters do.
        queries = [query for query in queries if query.required or query.forbidden]
        if not queries:
            return False
        if sum(len(q.required or ()) + len(q.forbidden) for q in queries) > (
            MAX_AGGREGATES
        ):
            LOG.debug("Too many aggregates for one query. The filters alone decide.")
            return False
        if "requested_destination" not in spec or not spec.requested_destination:
            spec.requested_destination = objects.Destination()
        for query in queries:
            if query.required:
                spec.requested_destination.require_aggregates(sorted(query.required))
            if query.forbidden:
                spec.requested_destination.append_forbidden_aggregates(
                    set(query.forbidden)
                )
        _log(request, tagged, queries)
        return True


def _log(
    request: Request, tagged: tuple[TaggedAggregate, ...], queries: list[AggregateQuery]
) -> None:
    """One line: if Placement finds no host, no filter runs that could explain it."""
    names = {aggregate.uuid: aggregate.name for aggregate in tagged}

    def listed(uuids: frozenset[str]) -> str:
        return " or ".join(sorted(names[uuid] for uuid in uuids))

    words = []
    for query in queries:
        required = f"in {listed(query.required)}" if query.required else ""
        forbidden = f"not in {listed(query.forbidden)}" if query.forbidden else ""
        places = " and ".join(filter(None, (required, forbidden)))
        words.append(f"{query.requirement}: {places}")
    LOG.info(
        "Asking Placement for %s only for hosts of these aggregates: %s",
        request,
        "; ".join(words),
    )
