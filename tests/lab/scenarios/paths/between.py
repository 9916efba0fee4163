"""Containers that call each other."""

from __future__ import annotations

from tests.lab import Box, Engines, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import healthy_container
from tests.lab.scenarios.paths.helpers import gets


def _pair(box: Box, *options: str) -> str:
    """Two containers of one network, of which one is configured to call the other; gives the
    callee's address."""
    box.docker("network", "create", *options, "shop")
    healthy_container(box, "db", 18321, "--network=shop")
    healthy_container(box, "api", 18322, "--network=shop", "--env=API_BACKEND=http://db:8080/")
    return str(box.inspect("db")["NetworkSettings"]["Networks"]["shop"]["IPAddress"])


@fault("firewall.between-containers", subject="container:api")
def bridge_to_bridge_rejected_in_docker_user(box: Box) -> None:
    """A rule in DOCKER-USER is to keep networks apart, and rejects what containers of one network
    send each other as well."""
    address = _pair(box)
    box.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=1")
    assert gets(box, "api", f"http://{address}:8080/")
    box.sh("iptables -I DOCKER-USER -i br-+ -o br-+ -j REJECT")
    assert not gets(box, "api", f"http://{address}:8080/")


@healthy()
def bridge_to_bridge_rejected_past_the_filter(box: Box) -> None:
    """The same rule where bridged packets do not meet iptables: it stops nothing."""
    address = _pair(box)
    box.sh(
        "sysctl -qw net.bridge.bridge-nf-call-iptables=0; iptables -I DOCKER-USER -i br-+ -o br-+ -j REJECT"
    )
    assert gets(box, "api", f"http://{address}:8080/")


@healthy()
def containers_apart_on_purpose(box: Box) -> None:
    """enable_icc=false keeps two containers apart that name each other: told so by whoever made the
    network."""
    address = _pair(box, "-o", "com.docker.network.bridge.enable_icc=false")
    box.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=1")
    assert not gets(box, "api", f"http://{address}:8080/")


@fault(
    "firewall.between-containers",
    subject="container:api",
    config={"userland-proxy": False},
    engines=Engines(until=27),
)
def published_port_called_by_the_hosts_address(box: Box) -> None:
    """A container calls another network's published port by the host's address, and without
    docker-proxy isolation drops the call."""
    box.docker("network", "create", "front")
    healthy_container(
        box, "api", 18323, "--network=front", f"--env=SHOP_URL=http://{BOX_ADDRESS}:8080/"
    )
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"
    assert not gets(box, "api", f"http://{BOX_ADDRESS}:8080/")
