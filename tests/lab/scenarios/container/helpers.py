"""What several of these scenarios use."""

from __future__ import annotations

from typing import Any

from tests.lab import Box

GOOD = [
    "--memory=64m", "--pids-limit=64", "--user=1000:1000", "--read-only", "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
]  # fmt: skip
LAX = [option for option in GOOD if option != "--read-only"]
"""For containers that the page repairs by writing into them."""


def run(box: Box, name: str, *words: str, check: bool = True) -> Any:
    """A detached container with a memory limit, which takes no privilege it does not need."""
    return box.docker("run", "-d", f"--name={name}", *words, check=check)
