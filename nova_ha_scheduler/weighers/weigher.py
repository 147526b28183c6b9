# SPDX-License-Identifier: Apache-2.0
"""What the weighers share: a multiplier by option, or by aggregate as Nova's have."""

from typing import Any, ClassVar

import nova.conf
from nova.scheduler import utils, weights

from nova_ha_scheduler import conf

CONF = nova.conf.CONF


class Weigher(weights.BaseHostWeigher):
    """A weigher whose multiplier is an option in ``[ha_scheduler]``.

    :raises oslo_config.cfg.ConfigFileValueError: from the constructor, so at the
        start of nova-scheduler, for an option with a bad value.
    """

    MULTIPLIER: ClassVar[str]

    def __init__(self) -> None:
        conf.policy(CONF)
        self._multiplier = CONF.ha_scheduler[self.MULTIPLIER]
        self._timeout = CONF.ha_scheduler.lookup_timeout

    def _weigh_object(self, host_state: Any, weight_properties: Any) -> float:
        raise NotImplementedError("weigh_objects weighs all hosts at once")

    def weight_multiplier(self, host_state: Any) -> float:
        """The option, or what the host's aggregates say instead, the lowest."""
        return float(
            utils.get_weight_multiplier(host_state, self.MULTIPLIER, self._multiplier)
        )
