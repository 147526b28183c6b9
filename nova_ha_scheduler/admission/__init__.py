# SPDX-License-Identifier: Apache-2.0
"""What admission knows, and how it reaches nova-scheduler.

=========  =========================================================================
published  the file and its content, which :mod:`nova_ha_scheduler.planner.reserve`
           makes, and :mod:`nova_ha_scheduler.service.publish` writes
reader     keeps it at hand in nova-scheduler
nova       reads Nova's objects
judge      asks :mod:`nova_ha_scheduler.rules.admission`, for the filter and the weigher
=========  =========================================================================
"""
