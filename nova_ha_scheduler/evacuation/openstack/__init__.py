# SPDX-License-Identifier: Apache-2.0
"""OpenStack as the trigger sees it, through openstacksdk alone.

:mod:`.api` sends requests, :mod:`.parse` reads answers, :mod:`.observer` makes a
picture of them, :mod:`.adapter` is the engine's Cloud.
"""
