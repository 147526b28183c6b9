# SPDX-License-Identifier: Apache-2.0
"""The witness ``prometheus``: an instant query to its HTTP API."""

import math
from typing import Any

from oslo_config import cfg

from nova_ha_scheduler import exchange
from nova_ha_scheduler.evacuation.interfaces import WitnessVerdict
from nova_ha_scheduler.witnesses import Witness, WitnessOptionError

ANSWER_BYTES = 1024 * 1024
"""Of one answer: a sample has some hundred."""


class Prometheus(Witness):
    """[witnesses] prometheus_url and prometheus_query."""

    HOST_IN = "prometheus_query"

    def __init__(self, options: cfg.ConfigOpts.GroupAttr) -> None:
        super().__init__(options)
        if not options.prometheus_url:
            raise WitnessOptionError("[witnesses] prometheus_url is missing")

    def ask(self, host: str, since: float = 0.0) -> tuple[WitnessVerdict, str]:
        query = self.filled(host)
        samples, problem = self._samples(query)
        if since and samples:
            # A query's own time is that of the question: asked for at the same time,
            # this is when each sample was taken.
            at = str(samples[0]["value"][0])
            taken, problem = self._samples(f"timestamp({query})", at)
            times = {_labels(sample): float(sample["value"][1]) for sample in taken}
            samples = [s for s in samples if times.get(_labels(s), 0.0) > since]
            problem = problem or "the query has no value for it since"
        values = [float(sample["value"][1]) for sample in samples]
        if not values or any(map(math.isnan, values)):
            return WitnessVerdict.UNKNOWN, problem or "the query has no value for it"
        seen = "the query's value is " + ", ".join(f"{value:g}" for value in values)
        return WitnessVerdict.ALIVE if any(values) else WitnessVerdict.DEAD, seen

    def _samples(self, query: str, at: str = "") -> tuple[list[Any], str]:
        """The samples of an instant query, or what is wrong."""
        authorization = self.options.prometheus_authorization
        with exchange.session(self.options.timeout, ANSWER_BYTES) as session:
            response = session.post(
                self.options.prometheus_url.rstrip("/") + "/api/v1/query",
                data={"query": query, **({"time": at} if at else {})},
                headers={"Authorization": authorization} if authorization else {},
                verify=self.options.prometheus_ca_file or True,
                allow_redirects=False,
            )
        if response.status_code != 200:
            return [], f"Prometheus answered {response.status_code}"
        # A scalar's or a string's result is no list of samples: it breaks later.
        return list(response.json()["data"]["result"]), ""


def _labels(sample: Any) -> frozenset[tuple[str, str]]:
    """What tells samples apart; timestamp() drops the metric's name."""
    labels = sample.get("metric", {}).items()
    return frozenset(pair for pair in labels if pair[0] != "__name__")
