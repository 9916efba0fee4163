"""What several of these scenarios use."""

from __future__ import annotations

from tests.lab import Box
from tests.lab.box import LOG

DAEMON = "daemon:docker"
CONFIG = "/etc/docker/daemon.json"


def refuse(box: Box, *flags: str, words: str, timeout: float = 40) -> None:
    """Start dockerd, and see it end with these words."""
    pid = box.spawn(["dockerd", *flags], log=LOG)
    box.wait_for(lambda: not box.alive(pid), timeout, "dockerd to give up")
    assert words in box.log_tail(), box.log_tail()
