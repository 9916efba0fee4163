"""Bridges that are down, idle or left over, and containers cut off from theirs."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import healthy_container


@fault(
    "network.bridge-down",
    subject="network:offnet",
    shareable=True,
    also=[("dns.upstream-unreachable", "network:offnet")],
)
def bridge_switched_off(box: Box) -> None:
    """The bridge of a network is set down, as network managers do; its container is cut off and
    says nothing."""
    box.docker("network", "create", "-o", "com.docker.network.bridge.name=offbr", "offnet")
    healthy_container(box, "cut", 18083, "--net=offnet")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18083/") == "hello\n"
    box.run(["ip", "link", "set", "offbr", "down"])
    assert (
        box.docker(
            "exec", "cut", "timeout", "2", "wget", "-qO-", "http://192.0.2.80/", check=False
        ).returncode
        != 0
    )


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
    assert (
        box.docker(
            "exec", "web", "timeout", "2", "wget", "-qO-", "http://192.0.2.80/", check=False
        ).returncode
        != 0
    )


@fault(
    "network.bridge-down",
    subject="network:bridge",
    baseline=False,
    also=[("dns.upstream-unreachable", "network:bridge"), ("container.unhealthy", "*")],
)
def docker0_that_networkd_empties(box: Box) -> None:
    """A file of systemd-networkd matches docker0, which has lost its address."""
    box.write("/etc/systemd/network/20-wired.network", "[Match]\nName=*\n\n[Network]\nDHCP=yes\n")
    box.sh("mkdir -p /usr/local/lib/systemd")
    box.sh("cp /bin/sleep /usr/local/lib/systemd/systemd-networkd")
    box.spawn(["/usr/local/lib/systemd/systemd-networkd", "900"])
    healthy_container(box, "web", 8080)
    box.run(["ip", "-4", "addr", "flush", "dev", "docker0"])
    (finding,) = box.diagnose("check", "network.bridge-down", "--format", "json").findings
    assert "/etc/systemd/network/20-wired.network) also configures it" in finding["summary"]


@fault(
    "network.bridge-down",
    subject="network:bridge",
    baseline=False,
    also=[("dns.upstream-unreachable", "network:bridge"), ("container.unhealthy", "*")],
)
def docker0_without_route(box: Box) -> None:
    """The host's route to the containers of docker0 is deleted; the bridge is up and has its
    address."""
    healthy_container(box, "web", 8080)
    box.run(["ip", "route", "del", "172.17.0.0/16"])
    assert (
        box.docker(
            "exec", "web", "timeout", "2", "wget", "-qO-", "http://192.0.2.80/", check=False
        ).returncode
        != 0
    )


@healthy(baseline=False)
def idle_bridges(box: Box) -> None:
    """No container runs: all bridges are DOWN for want of a carrier, which is how they rest."""
    box.docker("network", "create", "emptynet")
    assert "NO-CARRIER" in box.run(["ip", "link", "show", "docker0"]).stdout


@fault(
    "network.veth-detached",
    subject="container:unplugged",
    shareable=True,
    also=[("dns.upstream-unreachable", "*:plugnet")],
)
def cable_pulled(box: Box) -> None:
    """The host's end of a container's veth pair is taken off the bridge."""
    box.docker("network", "create", "-o", "com.docker.network.bridge.name=plugbr", "plugnet")
    healthy_container(box, "unplugged", 18095, "--net=plugnet")
    veth = box.sh("ls /sys/class/net/plugbr/brif").strip()
    box.run(["ip", "link", "set", veth, "nomaster"])
    assert (
        box.docker(
            "exec", "unplugged", "timeout", "2", "wget", "-qO-", "http://192.0.2.80/", check=False
        ).returncode
        != 0
    )


@fault("network.veth-detached", subject="container:wayward", shareable=True)
def default_route_deleted_inside(box: Box) -> None:
    """A script in a container's network deletes its default route; its neighbour on the same
    network goes out."""
    box.docker("network", "create", "waynet")
    healthy_container(box, "wayward", 18100, "--net=waynet")
    healthy_container(box, "neighbour", 18101, "--net=waynet")
    pid = box.inspect("wayward")["State"]["Pid"]
    box.run(["nsenter", "-t", str(pid), "-n", "ip", "route", "del", "default"])
    fetch = ["timeout", "2", "wget", "-qO-", "http://192.0.2.80/"]
    assert box.docker("exec", "wayward", *fetch, check=False).returncode != 0
    assert box.docker("exec", "neighbour", *fetch).returncode == 0


@fault(
    "network.veth-detached",
    subject="container:misled",
    shareable=True,
    also=[("dns.upstream-unreachable", "*:leadnet")],
    first_command=("heals", "the same commands as for a route that was deleted"),
)
def default_route_to_nobody(box: Box) -> None:
    """A script in a container's network sets a default route by an address that nobody has."""
    box.docker("network", "create", "leadnet")
    healthy_container(box, "misled", 18104, "--net=leadnet")
    gateway = box.inspect("misled")["NetworkSettings"]["Networks"]["leadnet"]["Gateway"]
    nobody = gateway.rpartition(".")[0] + ".199"
    pid = box.inspect("misled")["State"]["Pid"]
    box.run(["nsenter", "-t", str(pid), "-n", "ip", "route", "replace", "default", "via", nobody])
    fetch = ["timeout", "2", "wget", "-qO-", "http://192.0.2.80/"]
    assert box.docker("exec", "misled", *fetch, check=False).returncode != 0


@fault("network.bridge-leaked", subject="interface:br-0123456789ab", shareable=True)
def bridge_left_over(box: Box) -> None:
    """A bridge with the name of a network that the engine does not know."""
    box.sh("ip link add br-0123456789ab type bridge; ip addr add 172.30.0.1/16 dev br-0123456789ab")
    assert "br-0123456789ab" not in str(box.api("/networks"))
