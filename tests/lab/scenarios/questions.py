"""Programs that ask a question at their start, which nobody answers."""

from __future__ import annotations

import time

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load

CHECK = "container.variable-missing"
_NPX = b"""#!/bin/sh
# asks before it installs what is missing, as npx does
echo "Need to install the following packages:"
echo "serve@14.2.0"
if [ "$npm_config_yes" != true ]; then
    printf "Ok to proceed? (y) "
    read -r answer || exit 1
fi
echo "Accepting connections at http://localhost:3000"
exec nc -ll -p 3000 -e cat
"""
_OPTIONS = ("--init", "--memory=64m", "--pids-limit=64", "--restart=unless-stopped")
_LONG_ENOUGH_S = 21
"""After 20 seconds a program that serves no port is no longer about to."""


def _start(box: Box, name: str, port: int, *options: str) -> None:
    """The program at a terminal, with nobody at it."""
    load(box, "front:1", Recipe({"npx": (_NPX, 0o755)}, ('ENTRYPOINT ["/npx"]',)))
    box.docker(
        "run", "-d", "--tty", "--interactive", f"--name={name}", f"--publish={port}:3000",
        *_OPTIONS, *options, "front:1",
    )  # fmt: skip
    box.wait_for(lambda: "serve@14" in box.docker("logs", name).stdout, what="the question")


@fault(CHECK, subject="container:front61", also=["network.published-port-not-listening"])
def question_at_the_start(box: Box) -> None:
    """npx asks whether it may install a package: the container is up, and serves nothing."""
    _start(box, "front61", 8061)
    time.sleep(_LONG_ENOUGH_S)
    assert "Ok to proceed" not in box.docker("logs", "front61").stdout


@healthy()
def question_that_a_variable_answers(box: Box) -> None:
    """The same program with the answer in a variable."""
    _start(box, "front62", 8062, "--env=npm_config_yes=true")
    box.wait_for(
        lambda: "Accepting" in box.docker("logs", "front62").stdout, what="the program's server"
    )
