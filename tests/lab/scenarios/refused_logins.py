"""Programs that Redis does not let in, by the passwords that both sides were given."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.programs import load_server
from tests.lab.scenarios.everyday.helpers import first_command

DISAGREE = "container.settings-disagree"
MALFORMED = "container.variable-malformed"
_LIMITS = ("--memory=64m", "--pids-limit=64")
_OURS = "made-up-Qx7pLm2vZt"
_OTHER = "made-up-Hd4kWs9cRb"
_LOGS_IN = (
    "while :; do"
    r' printf "*2\r\n\$4\r\nAUTH\r\n\$%s\r\n%s\r\n*1\r\n\$4\r\nQUIT\r\n"'
    ' "${#APP_REDIS__PASSWORD}" "$APP_REDIS__PASSWORD" | nc -w 2 $REDIS_HOST 6379'
    " | head -n 1 | sed 's/^-/Redis connection failed, retrying: /'; sleep 1; done"
)
"""A command as clients send it. In one without lengths Redis takes quotes away itself."""


def _worker(box: Box, number: int, password: str) -> str:
    """Redis with a password in its command, and a worker that logs in; the worker's name."""
    name, network, server = f"worker{number}", f"worker{number}net", f"cache{number}"
    box.docker("network", "create", network)
    load_server(box, "redis-server", "redis:7.0")
    options = (*_LIMITS, f"--network={network}")
    words = ("redis:7.0", "redis-server", "--save", "", "--requirepass", _OURS)
    box.docker("run", "-d", f"--name={server}", *options, *words)
    given = (f"--env=APP_REDIS__PASSWORD={password}", f"--env=REDIS_HOST={server}")
    box.docker("run", "-d", f"--name={name}", *options, *given, "bb:1.36", "sh", "-c", _LOGS_IN)
    return name


def _printed(box: Box, name: str, words: str) -> int:
    done = box.docker("logs", name)
    return (done.stdout + done.stderr).count(words)


@fault(DISAGREE, subject="container:worker93", also=["container.errors-in-log"])
def worker_with_another_password_than_redis(box: Box) -> None:
    """The worker's variable has another password than the command of Redis."""
    name = _worker(box, 93, _OTHER)
    box.wait_for(lambda: _printed(box, name, "WRONGPASS") > 5, 60, "refusals")
    command = first_command(box, DISAGREE, name)
    assert "(read -r APP_REDIS__PASSWORD && export APP_REDIS__PASSWORD" in command, command
    assert _OURS not in command, command


@healthy()
def worker_with_the_password_of_redis(box: Box) -> None:
    """The same password on both sides."""
    name = _worker(box, 94, _OURS)
    box.wait_for(lambda: _printed(box, name, "+OK") > 3, 60, "logins")


@fault(MALFORMED, subject="container:worker95", also=["container.errors-in-log"])
def worker_with_its_password_in_quotes(box: Box) -> None:
    """The right password, with quotes that `docker run --env-file` has kept."""
    name = _worker(box, 95, f'"{_OURS}"')
    box.wait_for(lambda: _printed(box, name, "WRONGPASS") > 5, 60, "refusals")
    command = first_command(box, MALFORMED, name)
    assert "(read -r APP_REDIS__PASSWORD && export APP_REDIS__PASSWORD" in command, command
    assert _OURS not in command, command
