"""What several of these scenarios use."""

from __future__ import annotations

import os
from typing import Any

from tests.lab import Box

GOOD = [
    "--memory=64m", "--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
]  # fmt: skip
MACHINE = [
    option
    for path in ("/usr", "/lib", "/lib64")
    if os.path.isdir(path)
    for option in ("-v", f"{path}:{path}:ro")
]
"""The machine's own programs and libraries, mounted into a container: real ones without an image of
hundreds of megabytes."""
POSTGRES = "/usr/lib/postgresql/15/bin"


def run(box: Box, name: str, *words: str) -> Any:
    """A detached container, which may fail to start; the name is free."""
    done = box.docker("run", "-d", f"--name={name}", *words, check=False)
    assert "is already in use by container" not in done.stderr, done.stderr
    return done


def logs(box: Box, name: str) -> str:
    done = box.docker("logs", name, check=False)
    return done.stdout + done.stderr
