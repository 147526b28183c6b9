# SPDX-License-Identifier: Apache-2.0
"""OpenStack as it is seen, through openstacksdk alone.

:mod:`.api` sends requests, :mod:`.parse` reads answers, :mod:`.observer` makes a
picture of them, :mod:`.inventory` lists what no picture shows, and :mod:`.aggregates`
sets tags.
"""
