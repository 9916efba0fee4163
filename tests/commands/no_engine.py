"""The command line beside a host without an engine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests import command_line


def run(
    *args: str, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    whole = {**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock", **(env or {})}
    return command_line.run(*args, env=whole, cwd=cwd)
