# SPDX-License-Identifier: Apache-2.0
"""Every peer of the trigger answers anything, while two hosts die.

The trigger is a process, as its users run it. A proxy stands before each of its peers:
keystone, Nova, Placement, Neutron, Cinder and Glance of a real Nova in this process,
and the fence device of the first host that dies. Nova's notifications are forged on a
real broker, and the objects of other tenants say anything. A seed decides all.
"""
