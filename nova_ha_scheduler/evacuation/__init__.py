# SPDX-License-Identifier: Apache-2.0
"""The evacuation trigger: from a dead host to recovered servers.

:mod:`.engine` is a step over a picture of the cloud, the journal and the time; it
waits for nothing. :mod:`.interfaces` says what surrounds it.
"""
