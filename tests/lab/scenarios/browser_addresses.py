"""Pages that call another server, by an address for containers and by one for browsers."""

from __future__ import annotations

from tests.lab import Box, fault, healthy

SAFE = ("--memory=64m", "--pids-limit=64")


def _stack(box: Box, number: int, address: str) -> None:
    net = f"pages{number}net"
    box.docker("network", "create", net)
    api = ["-p", f"{8100 + number}:8080", f"--network={net}"]
    box.docker("run", "-d", f"--name=api{number}", *SAFE, *api, "shop:1.4")
    variable = f"VITE_API_URL={address}"
    front = ["-p", f"{8200 + number}:8080", f"--network={net}", "-e", variable]
    box.docker("run", "-d", f"--name=pages{number}", *SAFE, *front, "shop:1.4")
    box.wait_state(f"pages{number}", "running")


@fault("container.address-not-for-browsers", subject="container:pages83", shareable=True)
def page_with_the_name_of_a_container(box: Box) -> None:
    """The page is to call http://api83:8080, which no browser knows."""
    _stack(box, 83, "http://api83:8080")


@healthy(shareable=True)
def page_with_the_name_of_its_site(box: Box) -> None:
    """The page calls a name of the site, which a proxy elsewhere passes on."""
    _stack(box, 84, "https://api.lab.test")
