"""What several of these scenarios use."""

from __future__ import annotations

from tests.lab import Box
from tests.lab.runner import BASE_CONFIG

NAME = "www.lab.test"


def resolves(box: Box, container: str) -> bool:
    done = box.docker("exec", container, "timeout", "2", "nslookup", "-type=a", NAME, check=False)
    return "192.0.2.80" in done.stdout


def start(box: Box, resolv_conf: str | None) -> None:
    """Start the engine on a host with this resolv.conf, or none."""
    if resolv_conf is None:
        box.sh("rm -f /etc/resolv.conf")
    else:
        box.write("/etc/resolv.conf", resolv_conf)
    box.start_engine(config=BASE_CONFIG)
