"""daemon.plugin-gone: programs of plugins that the engine waits for."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse
from diagnose.evidence.engine.plugins import LegacyPlugin, LegacyPlugins, legacy_plugins
from diagnose.model import Failed, Unavailable
from diagnose.questions.engine import PluginNames
from diagnose.questions.processes import ProcessDetail
from tests.checks.daemon.evidence import ALIVE
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

SOCKET = "/run/docker/plugins/vault.sock"
REFUSED = "connection refused"
MISSING = "no such file or directory"
VOLUME = [{"Type": "volume", "Name": "claims", "Destination": "/data", "Driver": "vault"}]
ERROR = f'Post "http://plugin.moby.localhost/VolumeDriver.Get": dial unix {SOCKET}: {REFUSED}'
"""What engines 20.10 and 28.5 write for a container whose start was refused, cut at its front."""
FOLDER = [{"Type": "bind", "Source": "/run/docker/plugins", "Destination": "/sockets"}]


def gone(failure: str = REFUSED, file: str = SOCKET, *memory: str) -> LegacyPlugins:
    return LegacyPlugins((LegacyPlugin("vault", file, SOCKET, failure),), frozenset(memory))


RUNS = container("ledger", Mounts=VOLUME)
DOWN = container("ledger", Mounts=VOLUME, State={"Status": "exited", "Error": ERROR})
STOPPED = container("ledger", Mounts=VOLUME, State={"Status": "exited"})
OTHER = container("web")
PROVIDER = container("plugin", Mounts=FOLDER, State={"Status": "exited"})

JUDGED: dict[str, tuple[LegacyPlugins, list[Any], list[tuple[str, str]]]] = {
    "nobody uses it": (gone(), [OTHER], [("warning", "docker")]),
    "a container runs with its volume": (gone(), [RUNS], [("warning", "docker")]),
    "a container was stopped on purpose": (gone(), [STOPPED], [("warning", "docker")]),
    "the engine has refused a container": (gone(), [DOWN], [("critical", "docker")]),
    "it answers again, and the container is still down": (gone(""), [DOWN], []),
    "no plugin": (LegacyPlugins(()), [OTHER], []),
}


@pytest.mark.parametrize(("plugins", "listed", "expected"), JUDGED.values(), ids=JUDGED)
def test_a_plugin_without_its_program(
    plugins: LegacyPlugins, listed: list[Any], expected: list[tuple[str, str]]
) -> None:
    result = judge(
        "daemon.plugin-gone", plugins=plugins, daemon=ALIVE, containers=Containers(tuple(listed))
    )
    assert rows(result) == expected


COMMANDS: dict[str, tuple[LegacyPlugins, list[Any], set[str]]] = {
    "only a file": (gone(), [OTHER], {"leftover"}),
    "in the engine's memory": (gone(MISSING, "", "vault"), [OTHER], {"remembered"}),
    "a volume of it is in use": (gone(REFUSED, SOCKET, "vault"), [RUNS], set()),
    "a container was refused": (gone(), [DOWN], set()),
    "a container is the plugin of another one": (gone(), [DOWN, PROVIDER], {"provider", "refused"}),
    "a container is the plugin": (gone(), [RUNS, PROVIDER], {"provider"}),
}


@pytest.mark.parametrize(("plugins", "listed", "expected"), COMMANDS.values(), ids=COMMANDS)
def test_what_may_be_done(plugins: LegacyPlugins, listed: list[Any], expected: set[str]) -> None:
    (finding,) = judge(
        "daemon.plugin-gone", plugins=plugins, daemon=ALIVE, containers=Containers(tuple(listed))
    ).findings
    assert set(finding.variables) - {"plugin", "socket"} == expected


def test_nothing_is_removed_while_its_users_are_unknown() -> None:
    (finding,) = judge("daemon.plugin-gone", plugins=gone(), daemon=ALIVE).findings
    assert set(finding.variables) == {"plugin", "socket"}


def test_the_engines_own_words_are_evidence() -> None:
    words = f"Unable to connect to plugin: dial unix {SOCKET}: {REFUSED}, retrying in 8s"
    written = 'time="2026-11-27T06:34:44Z" level=warning msg="{}"'
    of_another = words.replace(SOCKET, "/run/docker/plugins/other.sock")
    lines = [written.format(words), written.format(of_another)]
    log = DaemonLog(parse(lines), "/var/log/docker.log")
    (finding,) = judge("daemon.plugin-gone", plugins=gone(), daemon=ALIVE, log=log).findings
    assert finding.evidence["/var/log/docker.log"] == words


def test_podman_has_no_such_plugins() -> None:
    podman = replace(ALIVE, is_podman=True)
    assert rows(judge("daemon.plugin-gone", plugins=gone(), daemon=podman)) == []


NO_FOLDER = Failed("missing")
HOSTS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str], list[tuple[str, str, str]]]] = {
    "no folders": ({}, {}, [], []),
    "a socket that refuses": (
        {"/run/docker/plugins": [("vault.sock", "other")]},
        {SOCKET: "refused"},
        [],
        [("vault", SOCKET, REFUSED)],
    ),
    "a socket that answers": (
        {"/run/docker/plugins": [("vault.sock", "other")]},
        {SOCKET: ""},
        ["vault"],
        [("vault", SOCKET, "")],
    ),
    "a folder of its own": (
        {"/run/docker/plugins": [("nas", "folder")]},
        {"/run/docker/plugins/nas/nas.sock": "refused"},
        [],
        [("nas", "/run/docker/plugins/nas/nas.sock", REFUSED)],
    ),
    "the folder of a managed plugin": (
        {"/run/docker/plugins": [("3f" * 32, "folder")]},
        {},
        ["vieux/sshfs:latest"],
        [],
    ),
    "a spec without its socket": (
        {"/etc/docker/plugins": [("cinder.spec", "file")]},
        {"/run/cinder.sock": "missing"},
        [],
        [("cinder", "/etc/docker/plugins/cinder.spec", MISSING)],
    ),
    "a spec beside a socket of its name": (
        {
            "/run/docker/plugins": [("cinder.sock", "other")],
            "/etc/docker/plugins": [("cinder.spec", "file")],
        },
        {"/run/docker/plugins/cinder.sock": "", "/run/cinder.sock": "missing"},
        [],
        [("cinder", "/run/docker/plugins/cinder.sock", "")],
    ),
    "only the engine remembers it": (
        {},
        {SOCKET: "missing"},
        ["local", "vault"],
        [("vault", "", MISSING)],
    ),
}


def made(folders: dict[str, Any], tried: dict[str, str]) -> Made:
    """A host with these entries of folders, and what connections to sockets say."""

    def listing(question: Any) -> Any:
        entries = folders.get(question.args["path"])
        if entries is None:
            return NO_FOLDER
        return {"entries": [{"name": name, "type": kind} for name, kind in entries]}

    def sockets(question: Any) -> Any:
        return {path: {"failed": tried.get(path, "missing")} for path in question.args["paths"]}

    spec = {"text": "unix:///run/cinder.sock\n"}
    return Made({"file.list": listing, "file.sockets": sockets, "file.read": spec})


@pytest.mark.parametrize(("folders", "tried", "memory", "expected"), HOSTS.values(), ids=HOSTS)
def test_which_plugins_a_host_has(
    folders: dict[str, Any],
    tried: dict[str, str],
    memory: list[str],
    expected: list[tuple[str, str, str]],
) -> None:
    info = Info(plugins=PluginNames(volume=memory))
    evidence = legacy_plugins(made(folders, tried), ALIVE, info)
    assert isinstance(evidence, LegacyPlugins)
    assert [(plugin.name, plugin.file, plugin.failure) for plugin in evidence.items] == expected
    assert evidence.unexamined == ()


def test_what_may_not_be_tried_is_unknown() -> None:
    host = made({"/run/docker/plugins": [("vault.sock", "other")]}, {SOCKET: "forbidden"})
    evidence = legacy_plugins(host, ALIVE, Info())
    assert isinstance(evidence, LegacyPlugins)
    assert (len(evidence), len(evidence.unexamined)) == (0, 1)


def test_an_engine_that_starts_is_judged_and_a_silent_one_is_not() -> None:
    host = made({"/run/docker/plugins": [("vault.sock", "other")]}, {SOCKET: "refused"})
    silence = Unavailable("timed out", "not a byte")
    engine = ProcessDetail(pid=7, comm="dockerd")
    starts = replace(
        ALIVE, silence=silence, processes=replace(ALIVE.processes, engine=engine, age=8.0)
    )
    evidence = legacy_plugins(host, starts, silence)
    assert isinstance(evidence, LegacyPlugins)
    assert [plugin.name for plugin in evidence.gone] == ["vault"]
    long_silent = replace(starts, processes=replace(starts.processes, age=900.0))
    assert legacy_plugins(host, long_silent, silence) == silence


def test_an_unreadable_folder_is_unknown() -> None:
    host = Made({"file.list": Failed("forbidden")})
    assert legacy_plugins(host, ALIVE, Info()) == Unavailable("forbidden")


OTHER_REASON = container(
    "ledger", Mounts=VOLUME, State={"Status": "exited", "Error": "port is already allocated"}
)
HARMED = {
    "refused for the plugin": (DOWN, 1),
    "stopped on purpose": (STOPPED, 1),
    "refused for another reason": (OTHER_REASON, 0),
}


@pytest.mark.parametrize(("user", "count"), HARMED.values(), ids=HARMED)
def test_a_start_that_was_refused_for_another_reason_is_not_its_effect(user: Any, count: int):
    (finding,) = judge(
        "daemon.plugin-gone", plugins=gone(), daemon=ALIVE, containers=Containers((user,), "api")
    ).findings
    assert len(finding.touches) == count
