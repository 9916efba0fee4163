"""Rootless engines: whose configuration, data and processes are meant."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.engine.config import DaemonConfig, daemon_config
from diagnose.evidence.engine.daemon import Daemon, daemon
from diagnose.evidence.engine.data_root import DataRoot, data_root
from diagnose.evidence.engine.log import DaemonLog, daemon_log
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Failed, Unavailable
from tests.evidence.engine.daemon_hosts import HERE, NOTHING, USERS, at, file
from tests.hosts import Made
from tests.judging import judge

NOBODY = {"same_host": True, "why": "", "engine_pid": None}


def system_or_users(question: Any) -> Any:
    """The system's daemon.json is whole, the user's broken."""
    return file("{}" if question.args["path"].startswith("/etc/") else '{"debug": true,}')


DEAD_USERS = {
    "endpoint": at(),
    "locality": NOBODY,
    "unit": {
        "LoadState": "loaded",
        "ActiveState": "inactive",
        "ExecStart": "{ argv[]=/usr/bin/dockerd -H fd:// ; }",
    },
    "file.read": system_or_users,
    "file.stats": Failed("missing", ""),
    "api.ping": Failed("missing", ""),
}


def test_configuration_of_a_dead_rootless_engine_is_its_users() -> None:
    config = daemon_config(Made(DEAD_USERS))
    assert isinstance(config, DaemonConfig)
    assert (config.path, config.text_ok, config.flags) == (USERS["config"], False, {})


UNKNOWN_CONFIG = {
    "home not known": {"endpoint": at({**USERS, "config": None})},
    "no trace of an engine": {"endpoint": at({**USERS, "traces": False})},
    "alive, but its environment is closed": {
        "endpoint": at(url="tcp://127.0.0.1:2375", scheme="tcp") | {"rootless": None},
        "locality": HERE,
        "process": {"cmdline": ["dockerd", "--rootless"], "uid": 1200},
    },
}


@pytest.mark.parametrize("answers", UNKNOWN_CONFIG.values(), ids=UNKNOWN_CONFIG)
def test_configuration_of_a_rootless_engine_is_never_the_systems(answers: dict[str, Any]) -> None:
    assert isinstance(daemon_config(Made({**DEAD_USERS, **answers})), Unavailable)


def test_living_rootless_engine_whose_environment_is_closed_reads_its_users_file() -> None:
    process = {"cmdline": ["dockerd", "--rootless"], "uid": 1200}
    config = daemon_config(Made({**DEAD_USERS, "locality": HERE, "process": process}))
    assert isinstance(config, DaemonConfig)
    assert config.path == USERS["config"]


def test_data_of_a_dead_rootless_engine() -> None:
    host = Made(DEAD_USERS)
    assert data_root(host, NOTHING, daemon_config(host)) == DataRoot(str(USERS["data"]), "default")
    for missing in ({"data": None}, {"traces": False}):
        nowhere = Made({**DEAD_USERS, "endpoint": at({**USERS, **missing})})
        assert isinstance(data_root(nowhere, NOTHING, NOTHING), Unavailable)
    older = Made(
        {**DEAD_USERS, "endpoint": {"url": "unix:///run/user/1200/docker.sock", "scheme": "unix"}}
    )
    assert data_root(older, NOTHING, NOTHING) == DataRoot("/var/lib/docker", "default")


def seen(*living: Process, **answers: Any) -> Daemon:
    """The daemon on a host with these processes."""
    host = Made({**DEAD_USERS, **answers})
    config = daemon_config(host)
    known = config if isinstance(config, DaemonConfig) else None
    engine = daemon(host, None, known, Processes((Process(1), *living)))
    assert isinstance(engine, Daemon)
    return engine


SYSTEMS = Process(90, 1, "dockerd", "S", uid=0, cmdline=["dockerd"])
ANOTHERS = Process(91, 1, "dockerd", "S", uid=1200, cmdline=["dockerd", "--rootless"])


def test_rootless_engine_that_was_stopped_is_down() -> None:
    assert seen().is_down
    assert seen(SYSTEMS).is_down
    assert not seen(ANOTHERS).is_down
    assert not seen(endpoint=at({**USERS, "traces": False})).is_down
    assert not seen(endpoint=at({**USERS, "traces": None})).is_down
    assert not seen(endpoint=at(url="unix:///run/user/1200/other.sock")).is_down


def test_rootless_engine_has_no_unit_and_no_pid_file_of_the_systems() -> None:
    def pid_files(question: Any) -> Any:
        named = {
            "/run/user/1200/docker.pid": "70",
            "/var/run/docker.pid": "71",
            "/run/user/1200/docker/containerd/containerd.pid": "72",
        }
        found = named.get(question.args["path"])
        return file(found) if found else Failed("missing", "")

    def process(question: Any) -> Any:
        return {"pid": question.args["pid"], "comm": "sh", "state": "S"}

    def missing(question: Any) -> Any:
        return {path: {"failed": "missing"} for path in question.args["paths"]}

    found = seen(**{"file.read": pid_files, "process": process, "file.stats": missing})
    units = found.installation
    assert (units.unit, units.socket_unit, units.containerd_unit) == (None, None, None)
    assert [pid_file.pid for pid_file in found.processes.pid_files] == [70, 72]
    assert (found.installation.program, found.installation.installed) == (None, True)


def test_containerd_of_a_rootless_engine_is_told_by_its_folder() -> None:
    own = Process(
        92,
        5,
        "containerd",
        "S",
        cmdline=["containerd", "--config", "/run/user/1200/docker/containerd/containerd.toml"],
    )
    system = Process(93, 1, "containerd", "S", cmdline=["/usr/bin/containerd"])

    def process(question: Any) -> Any:
        return {
            "pid": question.args["pid"],
            "comm": "dockerd",
            "state": "S",
            "cmdline": ["dockerd", "--rootless"],
            "uid": 1200,
        }

    found = seen(own, system, **{"locality": HERE, "process": process, "api.ping": {}})
    assert [containerd.pid for containerd in found.processes.containerds or ()] == [92]


@pytest.mark.parametrize(("why", "expected"), [("budget", None), ("timed out", None), ("gone", ())])
def test_containerd_that_could_not_be_looked_at_may_be_alive(why: Any, expected: Any) -> None:
    command = ["containerd", "--config", "/run/user/1200/docker/containerd/containerd.toml"]
    containerd = Process(92, 5, "containerd", "S", cmdline=command)

    def process(question: Any) -> Any:
        pid = question.args["pid"]
        if pid == 92:
            return Failed(why, "")
        return {"pid": pid, "comm": "dockerd", "state": "S", "cmdline": ["dockerd"], "uid": 1200}

    found = seen(containerd, **{"locality": HERE, "process": process, "api.ping": {}})
    assert found.processes.containerds == expected


SYSTEMS_PLACE = at(url="unix:///var/run/docker.sock", source="default socket", named=False) | {
    "rootless": None
}


def test_rootless_engine_beside_no_other_is_named_and_nothing_is_critical() -> None:
    disabled = {"LoadState": "loaded", "ActiveState": "inactive", "UnitFileState": "disabled"}
    result = judge(
        "daemon.not-running", daemon=seen(ANOTHERS, endpoint=SYSTEMS_PLACE, unit=disabled)
    )
    assert result.verdict == "unknown"
    assert "process 91 and serves unix:///run/user/1200/docker.sock: name it with -H" in result.why


@pytest.mark.parametrize(
    "unit",
    [
        {"UnitFileState": "enabled", "ActiveState": "inactive"},
        {"UnitFileState": "disabled", "ActiveState": "failed"},
    ],
)
def test_engine_that_ought_to_run_is_missed_beside_a_rootless_one(unit: dict[str, str]) -> None:
    assert seen(ANOTHERS, endpoint=SYSTEMS_PLACE, unit={"LoadState": "loaded", **unit}).is_down


def test_words_of_the_systems_engine_are_not_those_of_a_dead_rootless_one() -> None:
    said = {
        "file.read": {"text": "failed to start daemon: no disk"},
        "journal": Failed("missing", "no journal"),
    }
    assert isinstance(daemon_log(Made({**said, "endpoint": SYSTEMS_PLACE})), DaemonLog)
    log = daemon_log(Made({**said, "endpoint": SYSTEMS_PLACE | {"rootless": {"uid": 1200}}}))
    assert log == Unavailable("missing", "a rootless engine's log is in its user's journal")
    assert judge("daemon.storage-driver-failed", daemon=seen(SYSTEMS), log=log).verdict == "unknown"


def test_containers_of_a_dead_rootless_engine_are_its_users() -> None:
    words = ["containerd-shim-runc-v2", "-id"]
    systems = Process(94, 1, "containerd-shim", "S", uid=0, cmdline=[*words, "a" * 64])
    users = Process(95, 1, "containerd-shim", "S", uid=1200, cmdline=[*words, "c" * 64])
    (finding,) = judge("daemon.not-running", daemon=seen(SYSTEMS, systems, users)).findings
    assert finding.evidence["containers alive"] == ["c" * 12]
