"""Health checks that compose was given as a list of words behind CMD-SHELL."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import load
from tests.lab.scenarios.everyday.helpers import first_command, typed

CHECK = "container.unhealthy"
_WORDS = ["test", "-e", "/etc/passwd"]


def _probed(box: Box, name: str, test: list[str]) -> None:
    """A container with a health check in this form, which `docker run` cannot give."""
    load(box, "bb:1.36")
    second = 1_000_000_000
    probe = {"Test": test, "Interval": second, "Timeout": 5 * second, "Retries": 3}
    limits = {"Memory": 64 << 20, "PidsLimit": 64}
    body = {
        "Image": "bb:1.36",
        "Cmd": ["sleep", "1000"],
        "Healthcheck": probe,
        "HostConfig": limits,
    }
    box.api(f"/containers/create?name={name}", method="POST", body=body)
    box.docker("start", name)


def _health(box: Box, name: str) -> str:
    return str(box.inspect(name)["State"]["Health"]["Status"])


@fault(CHECK, subject="container:split98")
def probe_of_words_behind_cmd_shell(box: Box) -> None:
    """The shell runs `test` without arguments, which fails. The command gives it the whole line."""
    _probed(box, "split98", ["CMD-SHELL", *_WORDS])
    box.wait_for(lambda: _health(box, "split98") == "unhealthy", what="an unhealthy container")
    command = first_command(box, CHECK, "split98")
    assert "--health-cmd='test -e /etc/passwd'" in command, command
    typed(box, command)
    box.wait_for(lambda: _health(box, "split98") == "healthy", what="a healthy container")
    box.docker("rm", "-f", "split98")
    _probed(box, "split98", ["CMD-SHELL", *_WORDS])
    box.wait_for(lambda: _health(box, "split98") == "unhealthy", what="an unhealthy container")


@healthy()
def probe_of_words_behind_cmd(box: Box) -> None:
    """The same words behind CMD."""
    _probed(box, "words98", ["CMD", *_WORDS])
    box.wait_for(lambda: _health(box, "words98") == "healthy", what="a healthy container")
