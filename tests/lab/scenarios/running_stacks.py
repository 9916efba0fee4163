"""Stacks of compose in which every container runs, and something is not done; and look-alikes."""

from __future__ import annotations

import shlex

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.deploys import SAFE, labels
from tests.lab.scenarios.everyday.helpers import first_command

# -- a command that the image's start script ignores ----------------------------------

_IGNORED = "container.command-ignored"
_SERVES = "exec httpd -f -p 8080 -h /www"
_IGNORES = f"#!/bin/sh\nset -e\necho migrating\n# the web server\n{_SERVES}\n"
_HANDS_ON = f'#!/bin/sh\nset -e\n[ "$#" -gt 0 ] || {_SERVES}\nexec "$@"\n'
_CHOOSES = f'#!/bin/sh\ncase "$1" in worker) export ROLE=worker ;; esac\n{_SERVES}\n'
_WORKER = b"#!/bin/sh\necho taking jobs from $3\nexec sleep 1000\n"


def _leave(box: Box, number: int, entry: str, *command: str, change: str = "") -> str:
    """The worker of a project whose image is that of its web server; its name."""
    image, name = f"leave-api:{number}", f"leave{number}-worker-1"
    files = {"entry": (entry.encode(), 0o755), "bin/php": (_WORKER, 0o755)}
    load(box, image, Recipe(files, (change or 'ENTRYPOINT ["/entry"]', "EXPOSE 8080")))
    options = (*SAFE, *labels(f"leave{number}", "worker"))
    box.docker("run", "-d", f"--name={name}", *options, image, *command)
    box.sh("sleep 2")
    return name


@fault(_IGNORED, subject="container:leave41-worker-1")
def worker_that_starts_the_web_server_again(box: Box) -> None:
    """The image's start script never mentions its arguments; the command of the report heals."""
    name = _leave(box, 41, _IGNORES, "php", "artisan", "queue:work", "redis")
    assert "httpd" in box.docker("top", name).stdout
    command = first_command(box, _IGNORED, name)
    wanted = "--command 'php artisan queue:work redis' -- --entrypoint= | sh"
    assert command.endswith(wanted), command
    box.sh(box.diagnose(*shlex.split(command.removesuffix(" | sh"))[1:]).out, timeout=60)
    box.wait_for(lambda: "taking jobs" in box.docker("logs", name).stdout, 20, "the worker")
    box.docker("rm", "-f", name)
    _leave(box, 41, _IGNORES, "php", "artisan", "queue:work", "redis")


@fault(_IGNORED, subject="container:leave42-worker-1", shareable=True)
def worker_behind_a_line_of_a_shell(box: Box) -> None:
    """ENTRYPOINT is in its shell form, which drops the command."""
    change = "ENTRYPOINT httpd -f -p 8080 -h /www"
    name = _leave(box, 42, "", "php", "artisan", "schedule:work", change=change)
    assert "httpd" in box.docker("top", name).stdout


@healthy(shareable=True)
def worker_whose_start_script_hands_on(box: Box) -> None:
    """The script runs its command; another one chooses by it; a third ignores the image's own."""
    name = _leave(box, 43, _HANDS_ON, "php", "artisan", "queue:work")
    assert "taking jobs" in box.docker("logs", name).stdout
    _leave(box, 44, _CHOOSES, "worker")
    _leave(box, 45, _IGNORES)
