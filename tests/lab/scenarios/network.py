"""Broken networks: ports that are taken, bridges that are down, subnets in the way."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY
from tests.lab.runner import healthy_container

QUIET = ["--memory=64m", "--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL", "--security-opt=no-new-privileges"]


def refused(box: Box, name: str, *options: str) -> str:
    """Run a container that cannot start; returns the engine's words."""
    done = box.docker("run", "-d", f"--name={name}", *QUIET, *options, "shop:1.4", check=False)
    assert done.returncode == 125, done.stderr
    assert box.inspect(name)["State"]["Status"] == "created"
    return done.stderr


@fault("network.port-allocated", subject="container:second", shareable=True)
def port_of_another_container(box: Box) -> None:
    """A container asks for the port that another one publishes."""
    healthy_container(box, "first", 18080)
    assert "port is already allocated" in refused(box, "second", "-p", "18080:8080")


@fault("network.port-held-by-process", subject="container:late", shareable=True)
def port_of_a_process(box: Box) -> None:
    """A container asks for a port on which a program of the host listens."""
    box.spawn(["busybox", "httpd", "-f", "-p", "18081"])
    box.wait_for(lambda: ":18081" in box.run(["ss", "-ltn"]).stdout, what="the host's web server")
    assert "address already in use" in refused(box, "late", "-p", "18081:8080")


@fault("network.bind-address-missing", subject="container:floating", shareable=True)
def address_of_nobody(box: Box) -> None:
    """A container is to be published on an address that the host does not have."""
    assert "cannot assign requested address" in refused(box, "floating", "-p", "10.99.99.99:18082:8080")


@fault(
    "network.bridge-down",
    subject="network:offnet",
    shareable=True,
    also=[("dns.upstream-unreachable", "network:offnet")],
)
def bridge_switched_off(box: Box) -> None:
    """The bridge of a network is set down, as network managers do; its container is cut off and says
    nothing."""
    box.docker("network", "create", "-o", "com.docker.network.bridge.name=offbr", "offnet")
    healthy_container(box, "cut", 18083, "--net=offnet")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18083/") == "hello\n"
    box.run(["ip", "link", "set", "offbr", "down"])
    assert box.docker("exec", "cut", "wget", "-T1", "-qO-", "http://192.0.2.80/", check=False).returncode != 0


@fault(
    "network.bridge-down",
    subject="network:bridge",
    baseline=False,
    also=[("dns.upstream-unreachable", "network:bridge"), ("container.unhealthy", "*")],
)
def docker0_without_address(box: Box) -> None:
    """The address of docker0 is flushed: containers have a gateway that nobody is."""
    healthy_container(box, "web", 8080)
    box.run(["ip", "addr", "flush", "dev", "docker0"])
    assert box.docker("exec", "web", "wget", "-T1", "-qO-", "http://192.0.2.80/", check=False).returncode != 0


@healthy(baseline=False)
def idle_bridges(box: Box) -> None:
    """No container runs: all bridges are DOWN for want of a carrier, which is how they rest."""
    box.docker("network", "create", "emptynet")
    assert "NO-CARRIER" in box.run(["ip", "link", "show", "docker0"]).stdout


@fault("network.subnet-overlaps-route", subject="network:office", shareable=True)
def route_into_a_subnet(box: Box) -> None:
    """A VPN brings a route to a part of a network's subnet: containers there are out of reach."""
    box.docker("network", "create", "--subnet=172.29.0.0/16", "office")
    healthy_container(box, "stray", 18084, "--net=office", "--ip=172.29.5.9")
    fetch = ["curl", "-sS", "-m", "1", "http://172.29.5.9:8080/"]
    assert box.run(fetch).stdout == "hello\n"
    box.run(["ip", "route", "add", "172.29.5.0/24", "via", GATEWAY])
    assert box.run(fetch, check=False).returncode != 0


@healthy(shareable=True)
def company_route_around_a_subnet(box: Box) -> None:
    """A company's 10.0.0.0/8 leads to the gateway, and a network has its planned part of it."""
    box.run(["ip", "route", "add", "10.0.0.0/8", "via", GATEWAY])
    box.docker("network", "create", "--subnet=10.200.0.0/24", "planned")
    healthy_container(box, "planned", 18085, "--net=planned")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18085/") == "hello\n"


@healthy(shareable=True)
def default_route_in_halves(box: Box) -> None:
    """A full-tunnel VPN sets 0.0.0.0/1 and 128.0.0.0/1: they overlap every subnet, and no harm is done."""
    box.sh(f"ip route add 0.0.0.0/1 via {GATEWAY}; ip route add 128.0.0.0/1 via {GATEWAY}")
    healthy_container(box, "tunnelled", 18086)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18086/") == "hello\n"
