"""Rules that lead to an address of earlier."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY
from tests.lab.scenarios.firewall.helpers import comes_in

_TO_NOBODY = "-p tcp -m tcp --dport {} -j DNAT --to-destination 172.17.0.40:{}"


@fault("firewall.dnat-stale", subject="host:host")
def port_of_the_host_taken_by_a_leftover_rule(box: Box) -> None:
    """A rule of a container that is gone sends the host's port 22 to its former address, and ssh is
    out of reach."""
    box.sh("mkdir -p /srv/www && echo hello >/srv/www/index.html")
    box.spawn(["busybox", "httpd", "-f", "-p", "22", "-h", "/srv/www"])
    box.wait_for(lambda: comes_in(box, f"http://{BOX_ADDRESS}:22/"), what="the host's service")
    box.sh(f"iptables -t nat -A DOCKER ! -i docker0 {_TO_NOBODY.format(22, 22)}")
    assert not comes_in(box, f"http://{BOX_ADDRESS}:22/")


@fault(
    "firewall.dnat-stale", subject="host:host", also=[("firewall.dnat-missing", "container:web")]
)
def saved_rules_of_an_earlier_boot(box: Box) -> None:
    """A saved rule with the container's address of an earlier boot comes before the engine's own:
    the published port is dead."""
    box.sh(f"iptables -t nat -I DOCKER 1 ! -i docker0 {_TO_NOBODY.format(8080, 8080)}")
    assert not comes_in(box)


@healthy()
def translations_of_other_kinds(box: Box) -> None:
    """A paused container keeps its rule, and the administrator leads a port to another machine."""
    box.docker("pause", "web")
    box.docker("unpause", "web")
    box.sh(
        f"iptables -t nat -A PREROUTING -i eth0 -p tcp --dport 8022 -j DNAT --to-destination {GATEWAY}:22"
    )
    for end in ("-d", "-s"):
        box.sh(f"iptables -I DOCKER-USER {end} {GATEWAY} -p tcp -j ACCEPT")


@fault("container.restart-loop", subject="container:brief", also=["container.*"])
def program_that_fails_behind_published_ports(box: Box) -> None:
    """The engine takes the rules of its ports away and makes them again, each few seconds; they are
    neither lost nor left over."""
    ports = ("-p", "9100:9100", "-p", "9101:9101")
    program = ("sh", "-c", "sleep 2; echo bad option; exit 1")
    box.docker("run", "-d", "--name=brief", "--restart=always", *ports, "bb:1.36", *program)
    box.wait_for(lambda: box.inspect("brief")["RestartCount"] >= 3, what="the restarts")
    for _ in range(5):
        findings = box.diagnose("all", "--format", "json").findings
        assert not [finding for finding in findings if finding["id"].startswith("firewall.")]
