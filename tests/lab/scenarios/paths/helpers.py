"""What several of these scenarios use."""

from __future__ import annotations

from tests.lab import Box

DEAF = [("dns.*", "*")]


def gets(box: Box, name: str, url: str) -> bool:
    """Whether a container gets an answer from a URL."""
    pid = box.inspect(name)["State"]["Pid"]
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", url]
    return box.run(["nsenter", "-t", str(pid), "-n", *curl], check=False).returncode == 0
