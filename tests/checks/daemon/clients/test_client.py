"""The checks in checks/daemon/clients/client.py."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from diagnose.evidence.engine.client import BrokenPlugin, ClientSettings
from diagnose.evidence.engine.daemon import Caller, Daemon, Endpoint
from diagnose.evidence.engine.info import Info
from diagnose.model import Unavailable
from diagnose.questions.endpoint import Rootless
from tests.checks.daemon.evidence import ALIVE, HERE, REFUSED, SILENT, daemon
from tests.judging import judge, rows

DESKTOP = "/root/.docker/desktop/docker.sock"
OF_DESKTOP = Endpoint(
    f"unix://{DESKTOP}", "unix", "currentContext", named=True, context="desktop-linux"
)
REMOTE = Endpoint("tcp://10.9.8.7:2376", "tcp", "currentContext", named=True, context="prod")
OF_VARIABLE = Endpoint(f"unix://{DESKTOP}", "unix", "DOCKER_HOST", named=True)
OF_PORT = replace(OF_VARIABLE, url="tcp://127.0.0.1:2375", scheme="tcp")
GONE = Unavailable("missing", f"{DESKTOP}: No such file or directory")
LISTENS = ClientSettings("/root/.docker/config.json", "root", listens=True)
ALONE = ClientSettings("/root/.docker/config.json", "root")
FOUND = [("warning", "docker")]

CONTEXTS: dict[str, tuple[Daemon, ClientSettings, list[tuple[str, str]]]] = {
    "its socket is gone": (daemon(endpoint=OF_DESKTOP, silence=GONE), LISTENS, FOUND),
    "nothing serves its socket": (daemon(endpoint=OF_DESKTOP, silence=REFUSED), LISTENS, FOUND),
    "it is slow": (daemon(endpoint=OF_DESKTOP, silence=SILENT), LISTENS, []),
    "no other engine is here": (daemon(endpoint=OF_DESKTOP, silence=GONE), ALONE, []),
    "a remote engine is down": (daemon(endpoint=REMOTE, silence=REFUSED), LISTENS, []),
    "a variable names it": (daemon(endpoint=OF_VARIABLE, silence=GONE), LISTENS, FOUND),
    "a variable names it, and no other engine is here": (
        daemon(endpoint=OF_VARIABLE, silence=GONE), ALONE, [],
    ),
    "a variable names a port of this host": (daemon(endpoint=OF_PORT, silence=REFUSED), LISTENS, FOUND),
    "a variable names a remote engine": (
        daemon(endpoint=replace(OF_PORT, url=REMOTE.url), silence=REFUSED), LISTENS, [],
    ),
    "the user named it": (
        daemon(endpoint=replace(OF_VARIABLE, source="-H"), silence=GONE), LISTENS, [],
    ),
    "the usual socket": (daemon(endpoint=HERE, silence=REFUSED), LISTENS, []),
    "it answers": (ALIVE, LISTENS, []),
}  # fmt: skip


@pytest.mark.parametrize(("engine", "client", "expected"), CONTEXTS.values(), ids=CONTEXTS)
def test_a_context_that_leads_nowhere(
    engine: Daemon, client: ClientSettings, expected: list[tuple[str, str]]
) -> None:
    assert rows(judge("daemon.client-context-dead", daemon=engine, client=client)) == expected


NAMED = replace(LISTENS, context="prod")
LOST: dict[str, tuple[Unavailable, ClientSettings, list[tuple[str, str]]]] = {
    "it does not exist": (Unavailable("missing", "there is no docker context"), NAMED, FOUND),
    "its file has no address": (Unavailable("malformed", "names no engine"), NAMED, FOUND),
    "no engine is here": (
        Unavailable("missing", "there is no docker context"), replace(NAMED, listens=False), []
    ),
    "a variable names it": (Unavailable("missing", "there is no docker context"), LISTENS, []),
    "there was no time": (Unavailable("timed out", "no answer in 3 s"), NAMED, []),
}  # fmt: skip


@pytest.mark.parametrize(("why", "client", "expected"), LOST.values(), ids=LOST)
def test_a_context_that_is_not_there(
    why: Unavailable, client: ClientSettings, expected: list[tuple[str, str]]
) -> None:
    result = judge("daemon.client-context-dead", daemon=why, client=client)
    assert rows(result) == expected
    assert result.verdict == ("found" if expected else "unknown")


RUNTIME = "/run/user/1200"
USERS = Endpoint(
    f"unix://{RUNTIME}/docker.sock", "unix", "a socket that is there",
    rootless=Rootless(1200, config=None, data=None, runtime=RUNTIME, traces=True),
)  # fmt: skip
CALLER = Caller(uid=1200, user="shop")
OWN_ENGINE: dict[str, tuple[Daemon, ClientSettings, list[tuple[str, str]]]] = {
    "nothing names it": (
        daemon(endpoint=USERS, silence=None, caller=CALLER), ALONE, [("advice", "docker")]
    ),
    "the system's engine listens": (
        daemon(endpoint=USERS, silence=None, caller=CALLER), LISTENS, []
    ),
    "a variable names it": (
        daemon(endpoint=replace(USERS, named=True), silence=None, caller=CALLER), ALONE, []
    ),
    "it is another user's": (daemon(endpoint=USERS, silence=None), ALONE, []),
}  # fmt: skip


@pytest.mark.parametrize(("engine", "client", "expected"), OWN_ENGINE.values(), ids=OWN_ENGINE)
def test_a_users_own_engine_that_nothing_names(
    engine: Daemon, client: ClientSettings, expected: list[tuple[str, str]]
) -> None:
    assert rows(judge("daemon.client-context-dead", daemon=engine, client=client)) == expected


OWN = "/root/.docker/cli-plugins/docker-"
DOCKERS = Info(server_version="28.5.2", operating_system="Ubuntu 24.04.3 LTS")
DEBIANS = Info(server_version="28.5.2+dfsg4", operating_system="Debian GNU/Linux 13")
UBUNTUS = Info(server_version="28.2.2-0ubuntu1", operating_system="Ubuntu 24.04.3 LTS")
ROCKYS = Info(server_version="28.5.2", operating_system="Rocky Linux 9.6")


def link(name: str) -> BrokenPlugin:
    return BrokenPlugin(name, f"{OWN}{name}", f"/opt/desktop/bin/docker-{name}", "missing")


CURES: dict[str, tuple[BrokenPlugin, Info | None, dict[str, str]]] = {
    "Docker's packages": (link("compose"), DOCKERS, {"deb": "docker-compose-plugin"}),
    "Debian's packages": (link("compose"), DEBIANS, {"deb": "docker-compose"}),
    "Ubuntu's packages": (link("compose"), UBUNTUS, {"deb": "docker-compose-v2"}),
    "packages of dnf": (link("buildx"), ROCKYS, {"rpm": "docker-buildx-plugin"}),
    "an engine that does not answer": (link("buildx"), None, {"dangling": f"{OWN}buildx"}),
    "a plugin without a package": (link("scout"), DOCKERS, {"dangling": f"{OWN}scout"}),
    "no x bit": (
        BrokenPlugin("compose", f"{OWN}compose", failure="forbidden"),
        DOCKERS,
        {"unexecutable": f"{OWN}compose"},
    ),
}


@pytest.mark.parametrize(("plugin", "info", "expected"), CURES.values(), ids=CURES)
def test_what_heals_a_plugin(
    plugin: BrokenPlugin, info: Info | None, expected: dict[str, str]
) -> None:
    client = ClientSettings(user="root", plugins=(plugin,))
    result = judge("daemon.client-plugin-broken", client=client, info=info)
    assert rows(result) == [("warning", "host")]
    assert result.findings[0].variables.items() >= expected.items()
    branches = {"deb", "rpm", "dangling", "unexecutable"}
    assert branches & result.findings[0].variables.keys() == expected.keys()


def test_plugins_that_work() -> None:
    assert rows(judge("daemon.client-plugin-broken", client=ClientSettings(user="root"))) == []
