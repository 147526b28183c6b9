# SPDX-License-Identifier: Apache-2.0
"""A real Pacemaker and Corosync: two nodes of a cluster, and two remote nodes, as
compute hosts are.

========  ========================================================================
cluster   the cluster and its power switch
node.sh   the first process of a node, a machine of namespaces
========  ========================================================================

Each node has its own processes, mounts, name and network, and ends with whoever has
started it, also by kill -9. None of it has a name outside.
"""
