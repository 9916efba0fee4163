"""Start scripts that are put in front of a program, and the command of the image behind them."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load

CHECK = "container.command-lost"
_WAIT = b"""#!/bin/sh
# runs its arguments ("$@") when the database answers
echo "waiting for db:5432"
sleep 1
echo "db is available"
exec "$@"
"""
_GOSU = b"""#!/bin/sh
[ $# -gt 1 ] || { echo "Usage: ${0##*/} user-spec command [args]"; exit 1; }
shift
exec "$@"
"""
_DROP = b"""#!/bin/sh
set -e
mkdir -p /tmp/cache
exec gosu app "$@"
"""
_DEFAULT = b"""#!/bin/sh
exec "${@:-echo}"
"""
_OPTIONS = ("--memory=64m", "--pids-limit=64")


def _load(box: Box) -> None:
    """An image with a command of its own, and start scripts that its entrypoint does not name."""
    scripts = {"wait.sh": _WAIT, "bin/gosu": _GOSU, "drop.sh": _DROP, "default.sh": _DEFAULT}
    files = {path: (text, 0o755) for path, text in scripts.items()}
    load(box, "site:2", Recipe(files=files, changes=('CMD ["sleep","1000"]',)))


@fault(
    CHECK,
    subject="container:site71",
    expect=[(CHECK, "container:site72"), (CHECK, "container:site73")],
    also=["container.restart-loop", "container.exits-at-start", "container.daemonized"],
    shareable=True,
)
def script_in_front_of_the_program(box: Box) -> None:
    """`--entrypoint` names a start script, and the image's command is gone with its entrypoint."""
    _load(box)
    lasting = ("--restart=unless-stopped", *_OPTIONS)
    box.docker("run", "-d", "--name=site71", *lasting, "--entrypoint=/wait.sh", "site:2")
    box.docker("run", "-d", "--name=site72", *_OPTIONS, "--entrypoint=/drop.sh", "site:2")
    box.docker(
        "run", "-d", "--name=site73", *_OPTIONS, "-p8073:80", "--entrypoint=/wait.sh", "site:2"
    )
    assert "Usage: gosu" in box.docker("logs", "site72").stdout
    box.wait_state("site73", "exited")
    box.wait_for(lambda: box.inspect("site71")["RestartCount"] >= 3, what="its restarts")


@healthy(shareable=True)
def script_with_a_command_or_a_default(box: Box) -> None:
    """The same scripts: with a command, as a job, and one that has a default."""
    _load(box)
    lasting = ("run", "-d", "--restart=unless-stopped", *_OPTIONS)
    box.docker(*lasting, "--name=site74", "--entrypoint=/wait.sh", "site:2", "sleep", "1000")
    box.docker("run", "-d", "--name=site75", *_OPTIONS, "--entrypoint=/wait.sh", "site:2")
    box.docker("run", "-d", "--name=site76", *_OPTIONS, "--entrypoint=/default.sh", "site:2")
    for job in ("site75", "site76"):
        assert box.wait_state(job, "exited")["State"]["ExitCode"] == 0
