# SPDX-License-Identifier: Apache-2.0
"""A whole OpenStack of real processes, for tests that break parts of it.

RabbitMQ, MariaDB, keystone, Placement, nova-api, nova-scheduler, nova-conductor, eight
nova-computes, fence devices and nova-ha-evacuator. Only the hypervisor, glance,
neutron and cinder are stand-ins; in tests/lib/real, nothing is. All files are in one
temporary folder; all processes end with the program that has started the stack, even
where that is killed.

::

    with Stack() as stack:                          # stack.py; Layout: hosts and zones
        trigger = stack.trigger("mine", conf={...}, fencing={...}, journal=None)
        trigger.service().start()                   # a nova-ha-evacuator; leads
        trigger.service("second", follows=True).start()
        ids = servers.boot(stack, "a1", 32)         # protected servers, active
        stack.machines["a1"].kill()                 # a power cut
        trigger.history().recoveries(Query(host="a1"))  # cheap, to wait for something
        trigger.nova_ha("status"); trigger.json("history", "show", "a1")
        facts = truth.facts(stack.records(), stack.switched())
        assert truth.breaches(facts, trigger.shown(), ids) == []
        stack.heal()                                # as it was at the start

Hosts: a1 a2 a8 a9 in the storage zone nfs-a, b1 b2 b8 b9 in nfs-b; 8 and 9 are the
reserve.

======================  ==========================================================
what                    how
======================  ==========================================================
faults as objects       faults.py: inject(stack), heal(stack), injected(fault, stack)
servers to and fro      fleet.py: ``with Fleet(stack).death("nfs-a") as death: ...``
nova-compute alone      ``stack.machines["a1"].crash()``; ``start()``
any process, by name    ``stack.handle(NAME)``: kill, freeze, thaw, start, restart,
                        alive. Names: hosts, mariadb, rabbitmq, keystone, placement,
                        nova-api, nova-scheduler, nova-conductor, redfish, and the
                        services of triggers. Or ``stack.machines``,
                        ``stack.programs``, ``trigger.services``
an API that fails       ``rule = stack.gates["compute"].rule("answer", status=503,
                        method="POST", path="action", body="evacuate", count=3)``;
                        ``delay``, ``hang``, ``close``, ``lose`` (carried out, but
                        not answered); ``gate.lift(rule)``; ``rule.hits``,
                        ``gate.requests``. Gates: compute, placement, redfish. Rules
                        are for the trigger's requests alone, unless ``agent=""``;
                        the redfish gate sees python-requests, so say ``agent=""``
a BMC that lies         ``stack.machines["a1"].lie("Off")``; ``lie(None)``
a host that speaks IPMI ``fencing={"a2": stack.ipmi("a2").method()}``
an expired token        ``stack.keystone.expire_after(20)``: of tokens made later;
                        ``stack.keystone.revoke(token)``
a full disk             ``journal=f"sqlite:///{...}"`` on a small tmpfs, or
                        ``trigger.service(prefix=["prlimit", "--fsize=100000"])``
a clock that jumps      ``service.own_clock()`` before its start;
                        ``service.jump(3600)``
slow rebuilds           ``stack.rebuild_seconds(3)``
a returning host        ``stack.machines["a1"].start()``
======================  ==========================================================
"""
