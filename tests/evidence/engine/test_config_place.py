"""The configuration of a daemon: its text, its place, its faults."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.engine.config import DaemonConfig, daemon_config, parse_flags, parse_text
from diagnose.evidence.engine.daemon import Caller, Daemon, Endpoint
from diagnose.evidence.engine.daemon_json.faults import CONFIGURATION, ConfigFaults, config_faults
from diagnose.evidence.engine.installed.installation import Installation
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Failed, Unavailable
from tests.evidence.engine.daemon_hosts import HERE, NOTHING, file
from tests.hosts import Made

DEAD = Daemon(Endpoint("unix:///var/run/docker.sock", "unix"), Caller(), Unavailable("refused", ""))


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
    assert parsed.values == {"dns": ["192.0.2.2"]}


def test_flags_of_dockerd_are_settings() -> None:
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
    faults = config_faults(Made(answers), config, DEAD, NOTHING, NOTHING, None)
    assert [fault.message for fault in faults.faults] == ["is a folder, not a file"]


def test_bytes_that_are_no_text_have_a_place() -> None:
    said = "unable to configure the Docker daemon with file /etc/docker/daemon.json: failed to decode: invalid UTF-8"
    host = Made(
        {"locality": HERE, "file.read": {"text": '{\n "labels": ["caf\ufffd=1"]}', "mtime": 1.0}}
    )
    config = daemon_config(host)
    assert isinstance(config, DaemonConfig)
    told = config_faults(
        host, config, DEAD, NOTHING, DaemonLog(parse([said]), "/var/log/docker.log"), None
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
    told = config_faults(host, config, DEAD, NOTHING, log, None)
    assert [(fault.key, fault.line) for fault in told.faults] == [("seccomp-profile", 4)]


REFUSED_AT = 1_767_322_805.0
"""2026-01-02 03:00:05"""


@pytest.mark.parametrize(("written_after_s", "is_fault"), [(-60.0, True), (60.0, False)])
def test_a_refusal_is_not_about_a_file_that_was_written_since(
    written_after_s: float, is_fault: bool
) -> None:
    refused = (
        "unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid JSON: "
        "invalid character '}' after object key:value pair"
    )
    ended = 'time="2026-01-02T03:00:05Z" level=info msg="Daemon shutdown complete"'
    file = {"text": '{"debug": true}', "mtime": 1.0, "ctime": REFUSED_AT + written_after_s}
    host = Made({"locality": HERE, "file.read": file})
    config = daemon_config(host)
    assert isinstance(config, DaemonConfig)
    log = DaemonLog(parse([ended, refused]), "/var/log/docker.log")
    faults = config_faults(host, config, DEAD, NOTHING, log, None)
    assert isinstance(faults, ConfigFaults)
    assert bool(faults.faults) is is_fault


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
    faults = config_faults(host, config, alive, NOTHING, NOTHING, None)
    assert [fault.message for fault in faults.faults] == messages


LIVING = replace(DEAD, silence=None)
STARTED = 900.0
"""Unix time at which the engine started: 100 s after the boot."""
CLOCK = Clock(wall=5000.0, booted=800.0)
RUNNING = "/usr/bin/dockerd"
IN_FORCE: dict[str, tuple[dict[str, Any], str, Daemon, Clock | None, bool]] = {
    "older than the engine": ({"ctime": STARTED - 60}, RUNNING, LIVING, CLOCK, True),
    "changed since": ({"ctime": STARTED + 60}, RUNNING, LIVING, CLOCK, False),
    "changed as it started": ({"ctime": STARTED - 0.05}, RUNNING, LIVING, CLOCK, False),
    "moved into place since, with its old time": (
        {"ctime": STARTED + 60, "mtime": 1.0},
        RUNNING,
        LIVING,
        CLOCK,
        False,
    ),
    "a recording without the time": ({}, RUNNING, LIVING, CLOCK, False),
    "another program since": (
        {"ctime": STARTED - 60},
        f"{RUNNING} (deleted)",
        LIVING,
        CLOCK,
        False,
    ),
    "no clock": ({"ctime": STARTED - 60}, RUNNING, LIVING, None, False),
    "an engine that does not answer": (
        {"ctime": STARTED - 60},
        RUNNING,
        replace(LIVING, silence=Unavailable("timed out", "")),
        CLOCK,
        False,
    ),
}


@pytest.mark.parametrize(
    ("times", "program", "daemon", "clock", "is_in_force"), IN_FORCE.values(), ids=IN_FORCE
)
def test_an_engine_that_was_started_with_the_file_is_not_asked_again(
    times: dict[str, Any], program: str, daemon: Daemon, clock: Clock | None, is_in_force: bool
) -> None:
    refused = {"ok": False, "text": f"{CONFIGURATION} /etc/docker/daemon.json: no such thing"}
    file = {"text": '{"debug": true}', **times}
    host = Made({"locality": HERE, "file.read": file, "validate": refused})
    installed = replace(daemon, installation=Installation(installed=True, program=program))
    config = DaemonConfig("/etc/docker/daemon.json", exists=True, started=STARTED - CLOCK.booted)
    faults = config_faults(host, config, installed, NOTHING, NOTHING, clock)
    assert isinstance(faults, ConfigFaults)
    assert bool(faults.faults) is not is_in_force
