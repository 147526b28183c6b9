# SPDX-License-Identifier: Apache-2.0
"""What a trigger tells those who look at it from outside: metrics, health, a page.

=============  ===========================================================
monitor        threads that gather, write and serve; no step waits for any
trigger_facts  what there is to tell at one moment
counts         what has happened since this process began
metrics        the facts as Prometheus reads them
page_data      the facts as the page shows them, in JSON
pages          which text stands at which address
healthcheck    ready and alive, for oslo.middleware
server         HTTP on threads, with TLS or without
=============  ===========================================================
"""
