"""What several of these scenarios use."""

from __future__ import annotations

from tests.lab import Box
from tests.lab.provider import BOX_ADDRESS, WEB
from tests.lab.runner import healthy_container

PUBLISHED = f"http://{BOX_ADDRESS}:8080/"
DEAF = [("dns.*", "*")]
"""Without a way out no resolver answers."""


def goes_out(box: Box, name: str = "web") -> bool:
    pid = box.inspect(name)["State"]["Pid"]
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", f"http://{WEB}/"]
    return box.run(["nsenter", "-t", str(pid), "-n", *curl], check=False).returncode == 0


def comes_in(box: Box, url: str = PUBLISHED) -> bool:
    return bool(box.provider.curl(url, timeout=1.5, check=False))


def shop(box: Box) -> tuple[str, str]:
    """A network of its own with a container; gives its bridge and subnet."""
    box.docker("network", "create", "shop")
    healthy_container(box, "cart", 8081, "--network=shop")
    network = box.api("/networks/shop")
    return f"br-{network['Id'][:12]}", network["IPAM"]["Config"][0]["Subnet"]
