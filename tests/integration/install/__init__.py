# SPDX-License-Identifier: Apache-2.0
"""The product as its users get it.

test_built          what is in wheel and sdist
test_fresh          the wheel where nothing else is: programs, commands, extras
test_recovery       the service from there recovers a host
test_beside_nova    nova-scheduler loads the filters
test_service_files  systemd and logrotate understand the files for a host
test_samples        nova-ha reads the short sample
test_walk           a new user's way through docs/install.md and docs/configure.md
"""
