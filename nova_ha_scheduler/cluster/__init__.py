# SPDX-License-Identifier: Apache-2.0
"""The picture of a cloud, and how it is had.

==============  ====================================================================
picture         hosts, servers and migration records at one moment: frozen data
openstack/      the picture taken live, and the tags of hosts set
snapshot        the picture as a file; anonymise: one without names
text, amounts   a cloud as a short text, and amounts as people write them
synthetic       a cloud from one line
conf, errors    how to log in; how a cloud does not answer
==============  ====================================================================
"""
