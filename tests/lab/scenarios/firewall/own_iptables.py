"""A container whose iptables is not the kind that the host uses, and one whose is."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.programs.helpers import MACHINE, logs

_LOOKS_FOR_A_CHAIN = """
mkdir -p /run
/usr/sbin/xtables-%s-multi iptables -t nat -C OUTPUT -m addrtype --dst-type LOCAL ! -d 127.0.0.0/8 -j DOCKER --wait && exec sleep 1000
sleep 1; exit 2
"""


def _with_own_iptables(box: Box, name: str, kind: str) -> None:
    """A program on the host's network that looks for the engine's chain at its start."""
    rights = [
        "--network=host",
        "--cap-add=NET_ADMIN",
        "--cap-add=NET_RAW",
        "--restart=on-failure:3",
    ]
    words = [*MACHINE, "bb:1.36", "sh", "-c", _LOOKS_FOR_A_CHAIN % kind]
    box.docker("run", "-d", f"--name={name}", "--memory=64m", *rights, *words)


@fault("firewall.other-tables", subject="container:v6nat9", also=["container.*"])
def iptables_of_an_image_that_is_the_other_kind(box: Box) -> None:
    """The image has the iptables of the legacy tables, and the engine's chains are in nftables."""
    _with_own_iptables(box, "v6nat9", "legacy")
    box.wait_for(lambda: box.inspect("v6nat9")["RestartCount"] == 3, what="its last start")
    box.wait_state("v6nat9", "exited")
    assert logs(box, "v6nat9").count("DOCKER") > 2


@healthy()
def iptables_of_an_image_that_is_the_host_s_kind(box: Box) -> None:
    """The same program with the iptables that the host has."""
    _with_own_iptables(box, "v6nat8", "nft")
    box.wait_state("v6nat8", "running")
