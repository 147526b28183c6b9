# SPDX-License-Identifier: Apache-2.0
"""The picture of a cloud, and how it is had.

==============  ====================================================================
model           hosts, servers and migration records at one moment: frozen data
openstack/      the picture taken live, and the tags of hosts set
conf, errors    how to log in; how a cloud does not answer
==============  ====================================================================
"""
