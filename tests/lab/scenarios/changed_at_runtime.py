"""Settings that a client has changed while a server runs; and a server that keeps its own."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.programs import load_server
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import logs, run

CHANGED = "container.redis-folder-changed"


def _redis(box: Box, name: str, folder: str) -> None:
    """Real Redis, to which a client gives another folder."""
    load_server(box, "redis-server", "redis:7.0")
    own = ("--memory=96m", "--pids-limit=64", "-w", "/data")
    words = ("redis:7.0", "redis-server", "--protected-mode", "no", "--save", "")
    more = ("--enable-protected-configs", "yes")
    run(box, name, *own, "-e", "PATH=/bin:/usr/bin", *words, *more)
    box.wait_for(lambda: "Ready to accept" in logs(box, name), what="Redis to be ready")
    said = _says(box, name, f"CONFIG SET dir {folder}")
    assert "OK" in said, said


def _says(box: Box, name: str, command: str) -> str:
    asks = f"printf '{command}\\r\\n' | nc -w 1 127.0.0.1 6379"
    return str(box.docker("exec", name, "sh", "-c", asks).stdout)


@fault(CHANGED, subject="container:cache71", also=["container.errors-in-log"], shareable=True)
def redis_that_was_led_to_the_system(box: Box) -> None:
    """A client has led Redis to /etc; the command of the page leads it back."""
    _redis(box, "cache71", "/etc")
    command = first_command(box, CHANGED, "cache71")
    assert command == "docker exec cache71 redis-cli config set dir /data", command


@healthy(shareable=True)
def redis_in_a_folder_of_its_own(box: Box) -> None:
    """The same with another folder for data."""
    _redis(box, "cache72", "/tmp")
