# SPDX-License-Identifier: Apache-2.0
"""``nova-ha``: what operators ask of the trigger and order it to do.

A module is imported when one of its commands is run (setup.cfg names them), so what
takes long to import stands in modules whose commands need it.

===============================  ===================================================
app, overview, osc               the program; its help; the same in another program
health, status, quick_look       what is, also where the cloud does not answer
history, history_rows, known     what was; the names that it is asked for
replay, windows                  decisions made again; maintenances
hosts, check, snapshot           what the cloud is like
plan, capacity, explain          what would be
simulate                         the same, as a play
recoveries, evacuate, racks      orders to the trigger: of one host, or of several
pauses, maintenance, guard       the same
order_arguments, answers, who    what orders share: arguments, answers, who gives them
until_done, spooled              orders that are waited for; without nova-ha.conf
permissions                      what the trigger's user needs
receivers                        to people: who is sent messages; a try
tag, purge                       to Nova; to the journal
clouds                           from where a picture is
values, table, progress, times   how things are shown, and times written
plan_file, maintenance_rows      what is shown, and kept, of these
reserve_use, unfenced            what operators are told of the reserve, and of hosts
===============================  ===================================================
"""
