"""What several of these scenarios use."""

from __future__ import annotations

from tests.lab import Box
from tests.lab.box import LOG

ROOT = "/var/lib/docker"
DAEMON = "daemon:docker"
CONFIG = "/etc/docker/daemon.json"
SUBORDINATE = "echo dockremap:100000:65536 >/etc/subuid; echo dockremap:100000:65536 >/etc/subgid; useradd -r dockremap || true"
SMALL = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")
DEAD = ["container.*", "daemon.*", "network.*", "firewall.*", "dns.*"]


def start_and_fail(box: Box, words: str) -> None:
    """Start dockerd, and see it end; these words are in its log.

    It waits 15 s for a containerd that does not start, and up to 15 s more for it to stop.
    """
    pid = box.spawn(["dockerd"], log=LOG)
    box.wait_for(lambda: not box.alive(pid), 90, "dockerd to give up")
    assert words in box.read(LOG), box.log_tail()
