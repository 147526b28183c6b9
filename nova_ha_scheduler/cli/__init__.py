# SPDX-License-Identifier: Apache-2.0
"""``nova-ha``: what operators ask of the trigger and order it to do.

A module is imported when one of its commands is run (setup.cfg names them), so what
takes long to import stands in modules whose commands need it.

======================  ============================================================
the program             app; overview: its help; exits: every exit code
what was, and is        health, status, history, replay; windows: of maintenance
what the cloud is like  hosts, check, snapshot
what would be           plan, capacity, explain, simulate
orders to the trigger   recoveries, evacuate, pauses, maintenance
to others               tag: to Nova; purge: to the journal
what these share        orders, answers; waiter, a trigger where none is active
whose cloud they see    clouds; glance, where it may not answer
how things are shown    values, table, progress; report, upkeep, reserve, unfenced
what people write       times; who orders; known: names that the history is asked for
======================  ============================================================
"""
