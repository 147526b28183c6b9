# SPDX-License-Identifier: Apache-2.0
"""What only libvirt, QEMU, glance, neutron and cinder can show (tests/lib/real)."""
