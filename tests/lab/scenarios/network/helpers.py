"""What several of these scenarios use."""

from __future__ import annotations

from tests.lab import Box

QUIET = [
    "--memory=64m", "--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
]  # fmt: skip


def refused(box: Box, name: str, *options: str) -> str:
    """Run a container that cannot start; returns the engine's words."""
    done = box.docker("run", "-d", f"--name={name}", *QUIET, *options, "shop:1.4", check=False)
    assert done.returncode == 125, done.stderr
    assert box.inspect(name)["State"]["Status"] == "created"
    return done.stderr
