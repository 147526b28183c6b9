# SPDX-License-Identifier: Apache-2.0
"""A simulated cloud: Nova as it was measured, power, fence devices, witnesses; and the
production engine on a virtual clock in it.

=======================  ============================================================
world, machines          Nova's services and servers; what the trigger must never do
evacuations, migrations  how Nova moves servers off a dead host, and off a live one
devices                  power, fence devices and witnesses
runner                   the loop: time passes, the engine steps
stepped, journal         what surrounds the engine: threads and database stood in for
script, words            a scenario: lines, verbs, and what their words have to be
mishaps, people          the verbs: what happens; what people order
cloud                    a world from a picture
timeline, verdict        what is told of it; what became of it
=======================  ============================================================

The scenarios of tests/scenarios run on it, too.
"""
