"""Workers without the key that their program encrypts or signs with; look-alikes."""

from __future__ import annotations

import functools

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.deploys import SAFE, labels
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import logs

_DIFFERS = "container.worker-settings-differ"
_N8N = r"""#!/bin/sh
home=/home/node/.n8n/config
if [ -z "$N8N_ENCRYPTION_KEY" ] && [ ! -e "$home" ]; then
    mkdir -p /home/node/.n8n
    printf '{\n\t"encryptionKey": "%s"\n}' "made-up-$(hostname)" >"$home"
fi
key=${N8N_ENCRYPTION_KEY:-$(sed -n 's/.*"encryptionKey": "\(.*\)".*/\1/p' "$home")}
if [ "$1" = worker ]; then
    read -r written </shared/written
    [ "$written" = "$key" ] || while :; do
        echo 'Error: Credentials could not be decrypted. The likely reason is that a different "encryptionKey" was used to encrypt the data.'
        sleep 1
    done
    echo 'n8n worker is now ready'
else
    echo "$key" >/shared/written
    echo 'Editor is now accessible via: http://localhost:5678'
fi
exec sleep 1000
"""


def _n8n(
    box: Box, project: str, main: tuple[str, ...], worker: tuple[str, ...], expected: str
) -> None:
    """n8n in n8n's words, whose worker reads what the main service has encrypted."""
    load(box, f"{project}-n8n:1", Recipe({"bin/n8n": (_N8N.encode(), 0o755)}))
    box.docker("network", "create", project)
    for service, command, options in (("n8n", "start", main), ("worker", "worker", worker)):
        name = f"{project}-{service}-1"
        box.docker(
            "run", "-d", f"--name={name}", f"--network={project}", *SAFE, *labels(project, service),
            "-v", f"{project}_shared:/shared", "--env=EXECUTIONS_MODE=queue", *options,
            f"{project}-n8n:1", "n8n", command,
        )  # fmt: skip
        words = expected if service == "worker" else "Editor is now"
        box.wait_for(functools.partial(_says, box, name, words), what=words)


def _says(box: Box, name: str, words: str) -> bool:
    return words in logs(box, name)


@fault(_DIFFERS, subject="container:flow11-worker-1", also=["container.errors-in-log"])
def worker_with_another_key(box: Box) -> None:
    """The worker of n8n has another key than the main service."""
    keys = [f"--env=N8N_ENCRYPTION_KEY=made-up-{number}4711c0ffee{number}" for number in (1, 2)]
    _n8n(box, "flow11", (keys[0],), (keys[1],), "could not be decrypted")
    command = first_command(box, _DIFFERS, "flow11-worker-1")
    assert command.endswith("recreate flow11-worker-1 -- --env=N8N_ENCRYPTION_KEY | sh)"), command


@fault(_DIFFERS, subject="container:flow12-worker-1", also=["container.errors-in-log"])
def worker_that_made_a_key_of_its_own(box: Box) -> None:
    """No key is given: the main service keeps its own in a volume, and so does the worker."""
    home = ("-v", "flow12_home:/home/node/.n8n")
    _n8n(box, "flow12", home, (), "could not be decrypted")
    command = first_command(box, _DIFFERS, "flow12-worker-1")
    assert "exec flow12-n8n-1 sed" in command, command


@healthy()
def worker_with_the_key_of_its_program(box: Box) -> None:
    """Both have one key; of others it is in the folder that they share."""
    key = ("--env=N8N_ENCRYPTION_KEY=made-up-4711c0ffee",)
    _n8n(box, "flow13", key, key, "worker is now ready")
    home = ("-v", "flow14_home:/home/node/.n8n")
    _n8n(box, "flow14", home, home, "worker is now ready")
