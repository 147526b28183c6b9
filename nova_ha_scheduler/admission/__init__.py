# SPDX-License-Identifier: Apache-2.0
"""What admission knows, and how it reaches nova-scheduler.

:mod:`.published` is the file and its content; :mod:`.reader` keeps it at hand in
nova-scheduler; :mod:`.nova` reads Nova's objects. The decision is
:mod:`nova_ha_scheduler.rules.admission`; :mod:`nova_ha_scheduler.planner.reserve` makes
the content.
"""
