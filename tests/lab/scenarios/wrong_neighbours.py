"""Hardware addresses that a program has written for good, of machines that have others."""

from __future__ import annotations

from tests.lab import Box, fault
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.network.helpers import QUIET


@fault("network.call-unanswered", subject="container:agent42")
def wrong_hardware_address_of_a_neighbour(box: Box) -> None:
    """A container has a permanent ARP entry for its database, and the database another address."""
    box.docker("network", "create", "ring42")
    on_ring = ("--network=ring42", *QUIET, "bb:1.36", "sh", "-c")
    box.docker("run", "-d", "--name=db42", *on_ring, "httpd -f -p 5432")
    box.docker("run", "-d", "--name=agent42", *on_ring, "sleep 1d")
    address = box.inspect("db42")["NetworkSettings"]["Networks"]["ring42"]["IPAddress"]
    inside = ["nsenter", "-t", str(box.inspect("agent42")["State"]["Pid"]), "-n"]
    entry = [address, "lladdr", "02:00:00:00:42:09", "nud", "permanent", "dev", "eth0"]
    box.run([*inside, "ip", "neigh", "replace", *entry])
    call = "while :; do nc -w 60 db42 5432 </dev/null; sleep 0.2; done"
    box.docker("exec", "-d", "agent42", "sh", "-c", call)
    waiting = [*inside, "ss", "-tnoH", "state", "syn-sent", "dst", address]
    box.wait_for(lambda: ",3)" in box.run(waiting).stdout, what="a request that was repeated")


@fault("network.call-unanswered", subject="container:agent43")
def rules_that_the_host_wrote_into_a_container(box: Box) -> None:
    """Somebody has put a rule into the network namespace of a container, which may not do so.

    The other container answers the host. The first command gives the caller a new namespace.
    """
    box.docker("network", "create", "ring43")
    on_ring = ("--network=ring43", *QUIET, "bb:1.36", "sh", "-c")
    call = "while :; do nc -w 60 db43 5432 </dev/null; sleep 0.2; done"
    box.docker("run", "-d", "--name=db43", *on_ring, "httpd -f -p 5432")
    box.docker("run", "-d", "--name=agent43", *on_ring, call)
    inside = ["nsenter", "-t", str(box.inspect("agent43")["State"]["Pid"]), "-n"]
    box.run([*inside, "iptables", "-I", "INPUT", "-p", "tcp", "-j", "DROP"])
    waiting = [*inside, "ss", "-tnoH", "state", "syn-sent"]
    box.wait_for(lambda: ",2)" in box.run(waiting).stdout, what="a request that was repeated")
    command = first_command(box, "network.call-unanswered", "agent43")
    assert command == "docker restart agent43", command
