"""What several of these scenarios use."""

from __future__ import annotations

import shlex

from tests.lab import Box
from tests.lab.provider import BOX_ADDRESS

LEFT = "container.data-left-behind"


def first_command(box: Box, check: str, name: str, *options: str) -> str:
    """The first command that the report offers for a container."""
    run = box.diagnose("check", check, "--format", "json", *options)
    found = [
        finding
        for finding in run.findings
        if (finding["id"], finding["subject"]["name"]) == (check, name)
    ]
    assert len(found) == 1, f"{check} is not found for {name}: {run.out[:2000]}"
    return str(found[0]["fix"][0]["command"])


def typed(box: Box, command: str) -> None:
    """Run a command of the report in the box, where the tool itself has no name."""
    for line in command.splitlines():
        words = shlex.split(line.removesuffix(" | sh"))
        box.sh(box.diagnose(*words[1:]).out if words[0] == "diagnose" else line, timeout=60)


def status_outside(box: Box, port: int, path: str) -> str:
    """The code of the answer that a client outside of the box gets."""
    curl = ["curl", "-s", "--noproxy", "*", "-m", "8", "-o", "/dev/null", "-w", "%{http_code}"]
    return box.provider.run([*curl, f"http://{BOX_ADDRESS}:{port}{path}"], check=False).stdout


def host_gets(box: Box, port: int) -> bool:
    """Whether the box itself gets an answer at a port of its loopback."""
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "2", f"http://127.0.0.1:{port}/"]
    return box.run(curl, check=False).returncode == 0
