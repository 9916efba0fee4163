"""The container of a project that was to migrate the database of another one."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.failed_migrator import failed_migrator
from tests.checks.container.evidence import container_in
from tests.inspected import of

NEEDS = "Error: database needs bootstrapping; run 'kong migrations bootstrap'"
LINE = "Error: No such command for migrations: bootstrap"


def _member(name: str, state: str, *words: str, image: str = "kong:3", code: int = 1) -> Container:
    labels = {"com.docker.compose.project": "gate", "com.docker.compose.service": name}
    return container_in(
        state,
        name=name,
        Path=words[0],
        Args=list(words[1:]),
        Config={"Image": image, "Labels": labels},
        State={"Status": state, "ExitCode": code},
    )


OTHERS = {
    "it failed": (_member("setup", "exited", "kong", "migrations", "bootstrap"), True),
    "it loops": (_member("setup", "restarting", "kong", "migrations", "up"), True),
    "its service says so": (_member("kong-init", "exited", "/prepare.sh"), True),
    "it is done": (_member("setup", "exited", "kong", "migrations", "up", code=0), False),
    "it does something else": (_member("worker", "exited", "kong", "start"), False),
    "it has another image": (
        _member("setup", "exited", "kong", "migrations", "up", image="konga:1"),
        False,
    ),
}


@pytest.mark.parametrize(("other", "found"), OTHERS.values(), ids=OTHERS)
def test_who_was_to_migrate(other: Container, found: bool) -> None:
    waiting = _member("kong", "restarting", "kong", "docker-start")
    tails = LogTails({other.id: LogTail((LINE,))}, {})
    failure = LogTail((NEEDS,)).failure
    migrator = failed_migrator(waiting, failure, of(waiting, other), tails)
    assert (migrator is not None) == found
    if migrator is not None:
        assert LINE in migrator.clause
        assert migrator.evidence


def test_a_failure_that_no_migration_heals() -> None:
    waiting = _member("kong", "restarting", "kong", "docker-start")
    other = OTHERS["it failed"][0]
    failure = LogTail(("KeyError: 'BOT_TOKEN'",)).failure
    assert failed_migrator(waiting, failure, of(waiting, other), None) is None
