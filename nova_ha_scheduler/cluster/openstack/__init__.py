# SPDX-License-Identifier: Apache-2.0
"""OpenStack as it is seen, through openstacksdk alone.

:mod:`.login` logs in, :mod:`.api` sends requests, :mod:`.away` says why there was no
answer, :mod:`.lists` has each of the lists that they ask for, :mod:`.parse` and
:mod:`.requirements` read answers; :mod:`.observer` makes of them the picture that the
trigger needs, and :mod:`.whole` one of all; :mod:`.inventory` lists servers alone, and
:mod:`.aggregates` sets tags.
"""
