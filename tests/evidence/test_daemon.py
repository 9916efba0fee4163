"""What is read from the daemon's own log and configuration: parsing, held to texts that engines
really wrote."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.engine.config import DaemonConfig, daemon_config, parse_flags, parse_text
from diagnose.evidence.engine.daemon import Caller, Daemon, Endpoint, Installation, daemon
from diagnose.evidence.engine.daemon_json.faults import config_faults
from diagnose.evidence.engine.data_root import DataRoot, data_root
from diagnose.evidence.engine.log import DaemonLog, daemon_log
from diagnose.evidence.engine.log_lines import parse
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Failed, Unavailable
from tests.hosts import Made
from tests.judging import judge

AT = 1795476864.0
NOTHING = Unavailable("missing", "")
DEAD = Daemon(Endpoint("unix:///var/run/docker.sock", "unix"), Caller(), Unavailable("refused", ""))


def file(text: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "mtime": 1.0, "truncated": False, **more}


def test_log_is_found_behind_standard_error() -> None:
    def stats(_: Any) -> Any:
        return {"/proc/7/fd/2": {"type": "link", "link": "/var/log/engine.log"}}

    host = Made(
        {
            "journal": Failed("missing", "no journalctl"),
            "locality": {"same_host": True, "engine_pid": 7},
            "file.stats": stats,
            "file.read": file('time="2026-11-23T23:34:24Z" level=info msg="Starting up"\n'),
        }
    )
    log = daemon_log(host)
    assert isinstance(log, DaemonLog)
    assert log.source == "/var/log/engine.log"
    assert [question.args["path"] for question in host.asked if question.kind == "file.read"] == [
        "/var/log/engine.log"
    ]


def test_last_words_in_the_journal_are_the_engines_and_not_the_service_managers() -> None:
    said = [
        (69, 'time="2026-11-23T23:34:24Z" level=info msg="Starting up"'),
        (69, "mkdir /srv/docker: read-only file system"),
        (1, "docker.service: Main process exited, code=exited, status=1/FAILURE"),
        (1, "Failed to start docker.service - Docker Application Container Engine."),
    ]
    entries = [
        {"at": AT, "message": text, "pid": pid, "cursor": f"s={at}"}
        for at, (pid, text) in enumerate(said)
    ]
    log = daemon_log(Made({"journal": {"entries": entries}}))
    assert isinstance(log, DaemonLog)
    assert log.last_failure is not None
    assert (log.last_failure.text, log.last_failure.place) == (
        "mkdir /srv/docker: read-only file system",
        "s=1",
    )


def test_log_that_is_nowhere_is_not_an_empty_log() -> None:
    answers = {
        "journal": Failed("missing", ""),
        "locality": {"engine_pid": None},
        "file.read": Failed("missing", ""),
    }
    log = daemon_log(Made(answers))
    assert isinstance(log, Unavailable)
    assert log.reason == "missing"


def test_journal_that_may_not_be_read_is_the_reason() -> None:
    answers = {
        "journal": Failed("forbidden", "no"),
        "locality": {},
        "file.read": Failed("missing", ""),
    }
    log = daemon_log(Made(answers))
    assert isinstance(log, Unavailable)
    assert log.reason == "forbidden"


@pytest.mark.parametrize(
    ("text", "error", "line"),
    [
        pytest.param('{"debug": true}', "", 0, id="valid"),
        pytest.param(
            '{\n "debug": true,\n}',
            "Expecting property name enclosed in double quotes",
            3,
            id="trailing comma",
        ),
        pytest.param('{"a": 1} x', "Extra data", 1, id="more than one value"),
        pytest.param("", "the file is empty", 1, id="empty"),
        pytest.param("[]", "a JSON object is needed, not list", 1, id="a list"),
        pytest.param('{"a": NaN}', "NaN is not JSON", 0, id="not a number"),
    ],
)
def test_configuration_text(text: str, error: str, line: int) -> None:
    parsed = parse_text(text)
    assert (parsed.error, parsed.line) == (error, line)


def test_a_key_that_stands_twice() -> None:
    parsed = parse_text('{"dns": ["192.0.2.1"], "dns": ["192.0.2.2"]}')
    assert parsed.duplicates == ("dns",)
    assert parsed.values == {"dns": ["192.0.2.2"]}


def test_flags() -> None:
    words = "-H fd:// --containerd=/run/c.sock --debug -H=tcp://0.0.0.0:2375 --icc=false -s overlay2 --log-opt max-size=1m"
    config = DaemonConfig(
        "/etc/docker/daemon.json", values={"dns": ["192.0.2.1"]}, flags=parse_flags(words.split())
    )
    assert config.value("hosts") == ["fd://", "tcp://0.0.0.0:2375"]
    assert config.value("debug") is True
    assert config.value("icc") is False
    assert config.value("storage-driver") == "overlay2"
    assert config.value("log-opts") == {"max-size": "1m"}
    assert (config.value("dns"), config.where("dns")) == (["192.0.2.1"], "/etc/docker/daemon.json")
    assert (config.value("mtu"), config.where("mtu")) == (None, "default")


HERE = {"same_host": True, "why": "", "engine_pid": 7}


@pytest.mark.parametrize(
    ("answers", "path", "source", "ok"),
    [
        pytest.param(
            {"process": {"cmdline": ["dockerd", "--config-file=/x.json"]}, "file.read": file("{}")}, "/x.json", "process 7", True,
            id="named on the command line",
        ),
        pytest.param(
            {"process": {"cmdline": ["dockerd"]}, "file.read": Failed("missing", "")}, "/etc/docker/daemon.json", "process 7", True,
            id="no file is needed",
        ),
        pytest.param(
            {"process": {"cmdline": ["dockerd", "--config-file", "/x"]}, "file.read": Failed("missing", "")}, "/x", "process 7", False,
            id="the file that is named is needed",
        ),
        pytest.param(
            {"process": {"cmdline": ["dockerd"], "uid": 1000, "environ": ["HOME=/home/a"]}, "file.read": file("{}")},
            "/home/a/.config/docker/daemon.json", "process 7", True, id="rootless",
        ),
        pytest.param(
            {
                "process": Failed("gone", ""),
                "unit": {"ExecStart": "{ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd --config-file=/u.json ; ignore_errors=no ; }"},
                "file.read": file("{}"),
            },
            "/u.json", "unit docker.service", True, id="the daemon is dead: its unit",
        ),
    ],
)  # fmt: skip
def test_configuration_is_found(answers: dict[str, Any], path: str, source: str, ok: bool) -> None:
    config = daemon_config(Made({"locality": HERE, **answers}))
    assert isinstance(config, DaemonConfig)
    assert (config.path, config.source, config.text_ok) == (path, source, ok)


USERS = {
    "uid": 1200,
    "config": "/home/shop/.config/docker/daemon.json",
    "data": "/home/shop/.local/share/docker",
    "runtime": "/run/user/1200",
    "traces": True,
}
NOBODY = {"same_host": True, "why": "", "engine_pid": None}


def at(rootless: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The answer `endpoint` about a user's engine."""
    own = USERS if rootless is None else rootless
    return {
        "url": "unix:///run/user/1200/docker.sock",
        "scheme": "unix",
        "source": "DOCKER_HOST",
        "named": True,
        "rootless": own,
    } | more


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


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({"locality": {"same_host": False, "why": "a tunnel"}}, id="another machine"),
        pytest.param(
            {"locality": HERE, "file.read": Failed("forbidden", "")},
            id="a file that may not be read",
        ),
    ],
)
def test_configuration_that_cannot_be_had_is_not_empty(answers: dict[str, Any]) -> None:
    assert isinstance(daemon_config(Made(answers)), Unavailable)


def test_a_folder_in_place_of_the_file_is_a_fault() -> None:
    answers: dict[str, Any] = {
        "locality": HERE,
        "file.read": Failed("malformed", "/etc/docker/daemon.json is a folder, not a file"),
    }
    config = daemon_config(Made(answers))
    assert isinstance(config, DaemonConfig)
    assert (config.text_ok, config.error) == (False, "is a folder, not a file")
    faults = config_faults(Made(answers), config, DEAD, NOTHING, NOTHING)
    assert [fault.message for fault in faults.faults] == ["is a folder, not a file"]


def test_bytes_that_are_no_text_have_a_place() -> None:
    said = "unable to configure the Docker daemon with file /etc/docker/daemon.json: failed to decode: invalid UTF-8"
    host = Made(
        {"locality": HERE, "file.read": {"text": '{\n "labels": ["caf\ufffd=1"]}', "mtime": 1.0}}
    )
    config = daemon_config(host)
    assert isinstance(config, DaemonConfig)
    told = config_faults(
        host, config, DEAD, NOTHING, DaemonLog(parse([said]), "/var/log/docker.log")
    )
    assert [(fault.line, fault.column) for fault in told.faults] == [(2, 17)]


def test_the_key_whose_value_the_engine_repeats_has_the_fault() -> None:
    said = (
        "unable to configure the Docker daemon with file /etc/docker/daemon.json: "
        "cannot use /etc/docker/shop.json here"
    )
    text = (
        '{\n "debug": true,\n "bip": "10.1.0.1/24",\n "seccomp-profile": "/etc/docker/shop.json"\n}'
    )
    host = Made({"locality": HERE, "file.read": {"text": text, "mtime": 1.0}})
    config = daemon_config(host)
    assert isinstance(config, DaemonConfig)
    log = DaemonLog(parse([said]), "/var/log/docker.log")
    told = config_faults(host, config, DEAD, NOTHING, log)
    assert [(fault.key, fault.line) for fault in told.faults] == [("seccomp-profile", 4)]


NO_PROXY_PROGRAM = (
    "merged configuration validation from file and command line flags failed: invalid "
    "userland-proxy-path: userland-proxy is enabled, but userland-proxy-path is not set"
)
REFUSALS = {
    "the file": ("labels: conflict", ["labels: conflict"]),
    "no docker-proxy in the PATH that it was given": (NO_PROXY_PROGRAM, []),
}


@pytest.mark.parametrize(("words", "messages"), REFUSALS.values(), ids=REFUSALS)
def test_what_dockerd_says_of_the_file_is_a_fault(words: str, messages: list[str]) -> None:
    refused = f"unable to configure the Docker daemon with file /etc/docker/daemon.json: {words}"
    host = Made(
        {
            "locality": HERE,
            "file.read": {"text": '{"labels": ["a=1", "a=1"]}', "mtime": 1.0},
            "validate": {"ok": False, "text": refused},
        }
    )
    config = daemon_config(host)
    assert isinstance(config, DaemonConfig)
    installation = Installation(installed=True, program="/opt/docker/dockerd")
    alive = Daemon(DEAD.endpoint, Caller(), installation=installation)
    faults = config_faults(host, config, alive, NOTHING, NOTHING)
    assert [fault.message for fault in faults.faults] == messages
