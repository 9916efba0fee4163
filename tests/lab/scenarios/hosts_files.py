"""Files that are mounted at /etc/hosts, and what becomes of them when others move."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command

LIMITS = ("--memory=64m", "--pids-limit=64", "--network=sites")
_VISITS = """
while :; do
    nc -w 5 shop.test 8080 </dev/null && echo visited ||
        echo 'Failed to connect to shop.test port 8080: No route to host' >&2
    sleep 0.3
done
"""


def _site(box: Box, address: str) -> None:
    """A program whose hosts file has an address for the site of its neighbour, 172.31.9.2."""
    box.docker("network", "create", "--subnet=172.31.9.0/24", "sites")
    serve = ("shop:1.4", "sh", "-c", "while :; do nc -l -p 8080 </dev/null; done")
    fixed = ("--ip=172.31.9.2", "--publish=8090:8080")
    box.docker("run", "-d", "--name=front", *LIMITS, *fixed, *serve)
    box.write("/srv/sites/hosts", f"127.0.0.1 localhost\n{address} shop.test blog.test\n")
    mount = "--volume=/srv/sites/hosts:/etc/hosts:ro"
    box.docker("run", "-d", "--name=visits", *LIMITS, mount, "bb:1.36", "sh", "-c", _VISITS)


@fault(
    "dns.name-pinned",
    subject="container:visits",
    also=["network.calls-failing", "container.errors-in-log", "network.call-unanswered"],
)
def a_mounted_hosts_file_that_was_left_behind(box: Box) -> None:
    """The neighbour has another address since it was recreated; the command writes that."""
    _site(box, "172.31.9.9")
    failed = "port 8080: No route to host"
    box.wait_for(
        lambda: box.docker("logs", "visits").stderr.count(failed) >= 4, what="failed calls"
    )
    box.sh(first_command(box, "dns.name-pinned", "visits"))
    assert "172.31.9.2 shop.test" in box.docker("exec", "visits", "cat", "/etc/hosts").stdout
    box.wait_for(lambda: "visited" in box.docker("logs", "visits").stdout, what="a visit")
    box.write("/srv/sites/hosts", "127.0.0.1 localhost\n172.31.9.9 shop.test blog.test\n")
    box.wait_for(
        lambda: failed in box.docker("logs", "--tail=1", "visits").stderr, what="the fault again"
    )


@healthy()
def a_mounted_hosts_file_that_is_right(box: Box) -> None:
    """The same file with the address that the neighbour has."""
    _site(box, "172.31.9.2")
    box.wait_for(lambda: "visited" in box.docker("logs", "visits").stdout, what="a visit")
