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


def wait_log(box: Box, name: str, words: str) -> None:
    """Wait until a container's log has these words."""

    def has_said() -> bool:
        log = box.docker("logs", name, check=False)
        return words in log.stdout + log.stderr

    box.wait_for(has_said, what=f"{name} to say {words!r}")
