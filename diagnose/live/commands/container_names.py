"""The names of all containers, for completion in a shell."""

import shutil
import subprocess

CLIENTS = ("docker", "podman")
SECONDS = 2.0
"""A person waits for the answer to a key."""


def container_names() -> list[str]:
    """The names of all containers, as the user's own client gives them, with its context.

    Empty where there is no client, or its engine does not answer in time.
    """
    for name in CLIENTS:
        program = shutil.which(name)
        if program is None:
            continue
        try:
            done = subprocess.run(
                [program, "ps", "--all", "--format", "{{.Names}}"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return sorted(done.stdout.split())
    return []
