"""Swarms whose own networks were changed."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS


def _make_swarm(box: Box) -> None:
    pool = ("--default-addr-pool", "10.200.0.0/16")
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS, *pool)


@fault("swarm.ingress-missing", subject="daemon:docker", baseline=False)
def ingress_network_removed(box: Box) -> None:
    """A cleanup has removed the network of published ports; the command makes it again."""
    _make_swarm(box)
    remove = "echo y | docker network rm ingress"
    box.wait_for(lambda: "ingress" in box.docker("network", "ls").stdout, what="the network")
    box.sh(remove)
    box.wait_for(lambda: "ingress" not in box.docker("network", "ls").stdout, what="its removal")
    create = ("service", "create", "--detach", "--no-resolve-image", "--publish=8080:80")
    refused = box.docker(*create, "--name=web", box.image("bb:1.36"), "true", check=False)
    assert "no ingress network is present" in refused.stderr
    (finding,) = box.diagnose("check", "swarm.ingress-missing", "--format", "json").findings
    box.sh(finding["fix"][0]["command"])
    box.docker(*create, "--name=web", "--restart-condition=none", "bb:1.36", "true")
    box.docker("service", "rm", "web")
    box.wait_for(lambda: "web" not in box.docker("ps", "-a").stdout, 60, "the end of the service")
    box.sh(remove)
    box.wait_for(lambda: "ingress" not in box.docker("network", "ls").stdout, what="its removal")


@healthy(baseline=False)
def ingress_network_of_another_name(box: Box) -> None:
    """The network was replaced by one with a subnet of the administrator's."""
    _make_swarm(box)
    box.wait_for(lambda: "ingress" in box.docker("network", "ls").stdout, what="the network")
    box.sh("echo y | docker network rm ingress")
    box.wait_for(lambda: "ingress" not in box.docker("network", "ls").stdout, what="its removal")
    box.docker(
        "network", "create", "--driver=overlay", "--ingress", "--subnet=10.11.0.0/16", "mesh77"
    )
