"""What several tests of the live readers need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from diagnose.live import Live
from tests.live.servers import Ask, Script, Server, served


@pytest.fixture(name="live")
def _live() -> Iterator[Live]:
    live = Live()
    yield live
    live.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Script], Server]]:
    servers: list[Server] = []

    def start(script: Script) -> Server:
        servers.append(Server(tmp_path / f"{len(servers)}.sock", script))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(params=["one question", "one of many", "through docker-py"])
def ask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The ways in which the engine is asked: a question by itself, as those of the api lane are,
    and as a remote engine is."""
    if request.param == "through docker-py":
        monkeypatch.setattr(Server, "endpoint", Server.listen_on_tcp)
    if request.param != "one of many":
        return lambda live, asked: live.ask(asked)
    return lambda live, asked: dict(served(live, [asked]))[asked]
