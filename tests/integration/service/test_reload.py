# SPDX-License-Identifier: Apache-2.0
"""nova-ha.conf and the fencing file are read anew while the service runs."""

from tests.integration.service.conftest import Site

READ = "The fencing file was read again: "
ONE = f"{READ}2 hosts, of which 1 are fenced in another way than before"
REFUSED = "The fencing file cannot be used as it is now: "
BMC = "{method: redfish, address: 'https://192.0.2.%s', username: u, password: %s}"


def test_options_change_by_sighup(site: Site) -> None:
    service = site.start()
    service.says("This trigger is the active one")
    site.change("max_hosts = 3", "max_hosts = 5")
    site.change("password = secret", "password = hunter2")
    service.reload()
    service.says("nova-ha.conf was read again; changed: [guard] max_hosts")
    service.says("need a restart of nova-ha-evacuator: [cloud] password\n")
    assert "hunter2" not in service.log
    site.change("max_hosts = 5", "max_hosts = many")
    service.reload()
    service.says("The new nova-ha.conf is refused: ")
    site.change("max_hosts = many", "max_host = 4")
    service.reload()
    service.says("[guard] has no option max_host (did you mean max_hosts?)")
    site.change("max_host = 4", "max_hosts = 4")
    service.reload()
    service.says("The new nova-ha.conf is in force.")
    assert "Traceback" not in service.log


def test_the_fencing_file_is_read_when_it_changes(site: Site) -> None:
    """A file that cannot be used changes nothing; a wrong entry costs nobody else."""
    service = site.start()
    service.says("This trigger is the active one")
    site.fence(f"hosts: {{c1: {BMC % (1, 'old')}, c2: {BMC % (2, 'old')}}}")
    service.says(f"{READ}2 hosts, of which 2 are fenced in another way than before")
    site.fence("hosts: {c1: {method")
    service.says(f"{REFUSED}{site.fencing}: is not valid YAML at line 1")
    site.fence(f"hosts: {{c1: {BMC % (1, 'new')}, c2: {{method: redfsh}}}}")
    service.says(f"{REFUSED}host c2: method redfsh does not exist")
    service.says(f"{ONE}: c1")
    site.fencing.unlink()
    service.says(f"{REFUSED}{site.fencing}: cannot be read: No such file or directory")
    site.fence(f"hosts: {{c1: {BMC % (1, 'new')}, c2: {BMC % (2, 'new')}}}")
    service.says("The fencing file can be used again.")
    service.says(f"{ONE}: c2")
    assert "Traceback" not in service.log


def test_a_standby_reads_it_too(site: Site) -> None:
    site.start().says("This trigger is the active one")
    standby = site.start("standby")
    standby.says("This trigger stands by")
    site.fence("hosts: {c1: {method: manual}, c2: {method: manual}}")
    standby.says(f"{READ}2 hosts")


def test_a_value_that_oslo_config_ends_programs_for(site: Site) -> None:
    """In a file that is read anew, it ends nothing."""
    service = site.start()
    service.says("This trigger is the active one")
    site.change("[cloud]", "[DEFAULT]\ndebug = perhaps\n[cloud]")
    service.reload()
    service.says("The new nova-ha.conf is refused: argument --debug: Invalid Boolean")
    assert service.process.poll() is None
