# SPDX-License-Identifier: Apache-2.0
"""What ``nova-ha check`` finds: small pure functions over what was gathered.

===================  =============================================================
finding              what a check says: how bad, what, why, what mends it
subject              what is examined: a picture, nova.conf, flavors, fencing, ...
nova_conf            Nova's options, read without Nova
scheduler, computes  checks on nova.conf
heartbeat_options    likewise: on how often and how long its services are silent
file_modes           who may read nova-ha.conf
host_tags, servers   checks on tags; on servers and flavors
mirror               checks on Placement's mirror, on fencing and on clocks
checks               all of them, and what each needs
access               what the cloud lets the trigger see and do: harmless requests
gather               the subject, from a live cloud or from files
===================  =============================================================
"""
