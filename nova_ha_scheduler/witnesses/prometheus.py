# SPDX-License-Identifier: Apache-2.0
"""The witness ``prometheus``: an instant query to its HTTP API."""

import math

from oslo_config import cfg

from nova_ha_scheduler import exchange
from nova_ha_scheduler.evacuation.interfaces import Verdict
from nova_ha_scheduler.witnesses import ConfigError, Witness

ANSWER_BYTES = 1024 * 1024
"""Of one answer: a sample has some hundred."""


class Prometheus(Witness):
    """[witnesses] prometheus_url and prometheus_query."""

    HOST_IN = "prometheus_query"

    def __init__(self, options: cfg.ConfigOpts.GroupAttr) -> None:
        super().__init__(options)
        if not options.prometheus_url:
            raise ConfigError("[witnesses] prometheus_url is missing")

    def ask(self, host: str) -> tuple[Verdict, str]:
        authorization = self.options.prometheus_authorization
        with exchange.session(self.options.timeout, ANSWER_BYTES) as session:
            response = session.post(
                self.options.prometheus_url.rstrip("/") + "/api/v1/query",
                data={"query": self.filled(host)},
                headers={"Authorization": authorization} if authorization else {},
                verify=self.options.prometheus_ca_file or True,
                allow_redirects=False,
            )
        if response.status_code != 200:
            return Verdict.UNKNOWN, f"Prometheus answered {response.status_code}"
        # A scalar's or a string's result is no list of samples: it breaks here.
        samples = response.json()["data"]["result"]
        values = [float(sample["value"][1]) for sample in samples]
        if not values or any(map(math.isnan, values)):
            return Verdict.UNKNOWN, "the query has no value for it"
        seen = "the query's value is " + ", ".join(f"{value:g}" for value in values)
        return Verdict.ALIVE if any(values) else Verdict.DEAD, seen
