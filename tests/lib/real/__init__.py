# SPDX-License-Identifier: Apache-2.0
"""The stack of tests/lib/stack on libvirt, QEMU, glance, neutron and cinder.

::

    with RealStack() as stack:                       # stack.py; all that a Stack has
        root = stack.volume("nfs-a", image=True)
        id = stack.boot_from("a1", root, ports=[stack.port()])
        stack.machines["a1"].kill()                  # a power cut
        stack.machines["a1"].hang(guests=False)      # its guests go on
        stack.machines["a1"].split()                 # no nova-compute, no libvirt
        stack.runs_on(id); stack.xml(id, "a2")       # QEMUs, and libvirt's word
        stack.standing([id]) == []                   # its disks say that it runs, once

================  =====================================================================
module            what
================  =====================================================================
needs             what this machine has to have
compute           makes hosts, and their nova-computes, as somebody asks for them
namespaces        a host from within: mounts, network, libvirtd
place             where everything of a host lies
machines          a host as tests see it: power, hangs, guests
driver, nova      Nova on libvirt, with the records that truth.py reads
images, networks, volumes, services   glance, neutron, cinder
guest, guest.S    the guest, which counts on its disks
disks             the truth on these disks
mechanism, bin, sharedfs.c   what neutron, the mounts and libvirt are given to believe
================  =====================================================================
"""
