# SPDX-License-Identifier: Apache-2.0
"""OpenStack as the trigger sees it, through openstacksdk alone.

:mod:`.api` sends requests, :mod:`.parse` reads answers, :mod:`.observer` makes a
picture of them; the engine's Cloud, in :mod:`..world`, is made of these.
"""
