"""The checks of the family daemon on evidence that is built by hand, and the judgement of
configuration files held against what three engines did with them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from diagnose import runbooks
from diagnose.evidence.containers.from_disk import container_of
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import (
    Caller,
    Daemon,
    DaemonProcesses,
    Endpoint,
    FileState,
    Installation,
    PidFile,
    ProcessDetail,
    Unit,
)
from diagnose.evidence.engine.daemon_json.faults import ConfigFaults
from diagnose.evidence.engine.daemon_json.mending import mending
from diagnose.evidence.engine.daemon_json.refusals import faults_of
from diagnose.evidence.engine.daemon_json.syntax import Fault
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.engine.log import DaemonLog, parse
from diagnose.evidence.engine.socket_clients import SocketClients, TurnedAway
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.machine.pressure import Pressure
from diagnose.evidence.machine.processes import Process
from diagnose.evidence.network.listeners import Listener, Listeners
from diagnose.evidence.run.options import Options
from diagnose.model import Finding, Severity, Unavailable, Unexamined, container
from diagnose.questions.engine import SwarmMembership
from tests.judging import judge, rows

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data/daemon/daemon_json.json").read_text()
)
PATH = "/etc/docker/daemon.json"
NOT_OURS = {"hosts", "group", "nodegenres", "storageopt"}
"""What only the engine itself knows: `--validate` and its last words speak for it."""
KERNEL_LACKS = {"aufs"}

HERE = Endpoint("unix:///var/run/docker.sock", "unix", "default socket")
NAMED = Endpoint("unix:///run/other.sock", "unix", "DOCKER_HOST", named=True)
REFUSED = Unavailable("refused", "connection refused")
SILENT = Unavailable("timed out", "not a byte")
SOCKET = FileState("socket", 0o140660, 0, 999)
ROOT = DataRoot("/var/lib/docker", "default")
NOTHING = Unavailable("missing", "")
HUNG_UP = Unavailable("refused", "the connection was closed without an answer")
DENIED = Unavailable("forbidden", "HTTP 403: authorization denied by plugin opa")
SHIM = Process(7, comm="containerd-shim")
ID = "ab" * 32


def daemon(**parts: Any) -> Daemon:
    """An engine that refuses connections; parts are fields of Daemon, of its processes (`process`
    is the engine's) or its installation."""
    if "process" in parts:
        parts["engine"] = parts.pop("process")
    given = {
        "endpoint": HERE,
        "caller": Caller(),
        "silence": REFUSED,
        "installed": True,
        "shims": {},
        **parts,
    }
    processes = DaemonProcesses(
        **{name: given.pop(name) for name in DaemonProcesses.__struct_fields__ if name in given}
    )
    installation = Installation(
        **{name: given.pop(name) for name in Installation.__struct_fields__ if name in given}
    )
    return Daemon(**given, processes=processes, installation=installation)


UP = 'time="2026-01-02T03:04:05Z" level=info msg="Starting up"'
LISTENS = 'time="2026-01-02T03:04:06Z" level=info msg="API listen on /var/run/docker.sock"'
FOLDER = FileState("folder", 0o40755)


def only(answer: Any) -> Any:
    """The one finding of an answer."""
    (finding,) = answer
    return finding


def log(*lines: str) -> DaemonLog:
    return DaemonLog(parse(lines), "/var/log/docker.log")


def engine(state: str = "S", **parts: Any) -> ProcessDetail:
    return ProcessDetail(69, "dockerd", state, 10.0, **parts)


@pytest.mark.parametrize("version", ["20.10", "26.1", "28.5"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_file_is_judged_as_the_engine_judges_it(case: dict[str, Any], version: str) -> None:
    if case["name"] in NOT_OURS or (case["name"] in KERNEL_LACKS and version == "20.10"):
        pytest.skip("only the engine knows")
    found = faults_of(case["text"], int(version.partition(".")[0]))
    assert bool(found) is not case["engines"][version]["starts"]
    for fault in found:
        assert (fault.line, fault.column) != (0, 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_for_an_unknown_version_only_what_every_engine_refuses_is_told(
    case: dict[str, Any],
) -> None:
    if any(each["starts"] for each in case["engines"].values()):
        assert faults_of(case["text"], None) == ()


@pytest.mark.parametrize(
    ("text", "major", "key", "line", "column"),
    [
        pytest.param(
            '{\n  "firewall-backend": "nftables"\n}',
            28,
            "firewall-backend",
            2,
            3,
            id="too new a key",
        ),
        pytest.param('{\n  "graph": "/srv"\n}', 28, "graph", 2, 3, id="a key that was given up"),
        pytest.param(
            '{\n  "log-opts": {\n    "max-file": 3\n  }\n}',
            28,
            "log-opts.max-file",
            3,
            5,
            id="nested",
        ),
        pytest.param(
            '{"features": {"x": true},\n "mtu": "1500"}', 26, "mtu", 2, 2, id="a text for a number"
        ),
        pytest.param('{"debug": tru}', 26, "", 1, 11, id="a word that is no value"),
        pytest.param('{"dns": ["1.1.1.1"}', 26, "", 1, 19, id="a bracket is missing"),
        pytest.param('{"debug": true', 26, "", 1, 15, id="cut off"),
    ],
)
def test_a_fault_has_its_place(text: str, major: int, key: str, line: int, column: int) -> None:
    (fault,) = faults_of(text, major)
    assert (fault.key, fault.line, fault.column) == (key, line, column)


@pytest.mark.parametrize(
    ("text", "major"),
    [
        pytest.param('{"graph": "/srv"}', 20, id="an old key on an old engine"),
        pytest.param('{"firewall-backend": "nftables"}', 29, id="a new key on a new engine"),
        pytest.param(
            '{"proxies": {"http-proxy": "http://p:3128"}}', 26, id="an object that is flattened"
        ),
        pytest.param(
            '{"default-runtime": "gpu", "runtimes": {"gpu": {"path": "/x"}}}',
            28,
            id="a runtime of its own",
        ),
        pytest.param(
            '{"log-driver": "gelf", "log-opts": {"gelf-address": "udp://h:1"}}',
            28,
            id="another driver",
        ),
        pytest.param(
            '{"dns": ["::1", "fe80::1%eth0"], "bip": "172.26.0.1/24"}', 28, id="addresses"
        ),
        pytest.param(
            '{"storage-driver": "overlayfs", "features": {"containerd-snapshotter": true}}',
            28,
            id="store",
        ),
    ],
)
def test_valid_files_are_left_alone(text: str, major: int) -> None:
    assert faults_of(text, major) == ()


def not_running(
    one: Daemon, words: Any = NOTHING, known: Any = NOTHING, kernel: Any = NOTHING
) -> tuple[Finding, ...]:
    return judge(
        "daemon.not-running", daemon=one, containers=known, log=words, root=ROOT, kernel=kernel
    ).findings


@pytest.mark.parametrize(
    ("one", "severity"),
    [
        pytest.param(daemon(socket=SOCKET), None, id="nobody listens"),
        pytest.param(daemon(silence=Unavailable("missing", "")), None, id="no socket"),
        pytest.param(daemon(silence=Unavailable("not allowed", "")), None, id="systemd listens"),
        pytest.param(
            daemon(endpoint=NAMED, socket=SOCKET), None, id="a named socket that was an engine's"
        ),
        pytest.param(
            daemon(process=engine(), age=3.0), Severity.warning, id="it has just begun to start"
        ),
        pytest.param(
            daemon(process=engine(), age=900.0), None, id="it lives, and its socket is gone"
        ),
        pytest.param(
            daemon(silence=Unavailable("refused", "HTTP 502: <html>")), None, id="an error page"
        ),
        pytest.param(daemon(silence=HUNG_UP), None, id="who listens hangs up"),
        pytest.param(daemon(installed=False), None, id="a host without Docker"),
        pytest.param(
            daemon(silence=Unavailable("forbidden", ""), sees_all=True, socket=SOCKET),
            None,
            id="seen by a stranger",
        ),
    ],
)
def test_not_running(one: Daemon, severity: Severity | None) -> None:
    (finding,) = not_running(one)
    assert finding.severity == severity


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        pytest.param(daemon(silence=None), "passed", id="it answers"),
        pytest.param(daemon(silence=SILENT), "passed", id="it hangs: another check's"),
        pytest.param(
            daemon(silence=Unavailable("forbidden", ""), process=engine()), "passed", id="forbidden"
        ),
        pytest.param(
            daemon(silence=Unavailable("forbidden", "")),
            "unknown",
            id="forbidden, and nothing seen",
        ),
        pytest.param(daemon(endpoint=NAMED), "unknown", id="a wrong address"),
        pytest.param(
            daemon(endpoint=NAMED, silence=Unavailable("malformed", "")),
            "unknown",
            id="named nonsense",
        ),
        pytest.param(daemon(same_host=False, where="ssh"), "unknown", id="on another machine"),
        pytest.param(
            daemon(others=(Process(9, comm="dockerd"),)),
            "unknown",
            id="an engine on another socket",
        ),
        pytest.param(
            daemon(installed=False, has_podman=True), "unknown", id="a host with Podman alone"
        ),
        pytest.param(daemon(endpoint=NAMED, socket=FOLDER), "unknown", id="a named folder"),
        pytest.param(
            daemon(endpoint=NAMED, silence=HUNG_UP), "unknown", id="a named socket that hangs up"
        ),
        pytest.param(daemon(silence=DENIED, process=engine()), "passed", id="a plugin's refusal"),
    ],
)
def test_not_running_is_not_said(one: Daemon, verdict: str) -> None:
    assert judge("daemon.not-running", daemon=one, root=ROOT).verdict == verdict


def test_a_dead_engine_names_its_last_words_and_what_lives() -> None:
    words = log(
        'time="2026-01-02T03:04:05Z" level=info msg="Starting up"',
        "failed to start daemon: no space left on device",
    )
    known = Containers((msgspec.convert({"Id": ID, "Name": "/web"}, Container),), source="disk")
    (finding,) = not_running(daemon(shims={ID: SHIM, "cd" * 32: SHIM}), words, known)
    assert (
        finding.summary
        == "dockerd is not running: no space left on device; still alive: cdcdcdcdcdcd, web"
    )
    assert "no-space" in finding.signs
    assert "failed to start daemon: no space left on device" in finding.evidence.values()


@pytest.mark.parametrize(
    ("silence", "socket", "lines", "severity", "what"),
    [
        pytest.param(
            "missing",
            None,
            [UP, LISTENS],
            None,
            "its socket /var/run/docker.sock was removed",
            id="removed",
        ),
        pytest.param(
            "refused", FOLDER, [UP, LISTENS], None, "a folder has taken the place", id="a folder"
        ),
        pytest.param(
            "missing",
            None,
            [UP],
            Severity.warning,
            "does not serve /var/run/docker.sock, 5 s",
            id="in its start",
        ),
    ],
)
def test_an_engine_without_its_socket(
    silence: Any, socket: FileState | None, lines: list[str], severity: Severity | None, what: str
) -> None:
    one = daemon(silence=Unavailable(silence, ""), socket=socket, process=engine(), age=5.0)
    (finding,) = not_running(one, log(*lines))
    assert what in finding.summary
    assert finding.severity == severity


def test_the_kernel_killed_it() -> None:
    kernel = KernelLog(
        (Record(1.0, "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=dockerd,pid=69,uid=0"),
         Record(1.0, "Out of memory: Killed process 69 (dockerd) total-vm:1kB, anon-rss:9kB, file-rss:0kB"))
    )  # fmt: skip
    (finding,) = not_running(daemon(), kernel=kernel)
    assert finding.evidence["kernel log"] == "out of memory: killed process 69 (dockerd)"
    assert (
        finding.summary
        == "dockerd is not running: the kernel killed it for memory; no container is alive"
    )
    (later,) = not_running(daemon(), log(UP, LISTENS), kernel=kernel)
    assert "kernel log" not in later.evidence


def test_a_log_of_an_earlier_boot_tells_nothing_of_this_end() -> None:
    old = replace(log(UP, LISTENS), mtime=1.7e9)
    found = only(
        judge(
            "daemon.not-running", daemon=daemon(), log=old, root=ROOT, clock=Clock(1.8e9, 1.75e9)
        ).findings
    )
    assert found.summary == "dockerd is not running; no container is alive"
    assert (
        found.evidence["the engine's log"] == "/var/log/docker.log is from before this host's boot"
    )


@pytest.mark.parametrize(
    ("parts", "words", "summary"),
    [
        pytest.param(
            {"program": ""}, [], "and its program is not where packages put it", id="it was removed"
        ),
        pytest.param(
            {},
            [UP, "failed to load listeners: listen tcp 0.0.0.0:2375: bind: address already in use"],
            "0.0.0.0:2375: bind: address already in use, by nginx (pid 70)",
            id="its port is taken",
        ),
        pytest.param(
            {"installed": False}, [], "no Docker is installed here", id="it never was there"
        ),
        pytest.param(
            {},
            [
                UP,
                LISTENS,
                "level=info msg=\"Processing signal 'terminated'\"",
                'level=info msg="Daemon shutdown complete"',
            ],
            "dockerd is not running: it was asked to stop (signal terminated)",
            id="stopped",
        ),
        pytest.param(
            {}, [UP, LISTENS], "its log ends without a word, as after a kill -9", id="killed"
        ),
        pytest.param(
            {}, [UP], "dockerd is not running; no container is alive", id="gone in its start"
        ),
        pytest.param(
            {
                "endpoint": NAMED,
                "socket": SOCKET,
                "others": (Process(9, comm="dockerd"),),
                "shims": {ID: SHIM},
            },
            [],
            "dockerd is not running; no container is alive",
            id="beside another one, whose containers are not its own",
        ),
    ],
)
def test_what_is_said_of_a_dead_engine(
    parts: dict[str, Any], words: list[str], summary: str
) -> None:
    held = Listeners((Listener("tcp", "0.0.0.0", 2375, 70, "nginx"),))
    found = only(
        judge(
            "daemon.not-running", daemon=daemon(**parts), log=log(*words), root=ROOT, listeners=held
        ).findings
    )
    assert summary in found.summary


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        pytest.param(["failed to start daemon: x"], "failed to start daemon: x", id="bare"),
        pytest.param(
            ["unable to parse logging level: loud"],
            "unable to parse logging level: loud",
            id="before the log",
        ),
        pytest.param(
            ["failed to start daemon: x", 'level=info msg="API listen on /s"'],
            None,
            id="it came up since",
        ),
        pytest.param(
            ["failed to start daemon: x", 'level=info msg="Starting up"'],
            None,
            id="killed in its start",
        ),
        pytest.param(
            ["failed to start daemon: a", "failed to start daemon: b"],
            "failed to start daemon: b",
            id="newest",
        ),
        pytest.param([], None, id="an empty log"),
        pytest.param(
            [UP, "mkdir /srv/docker: read-only file system"],
            "mkdir /srv/docker: read-only file system",
            id="any words",
        ),
        pytest.param(
            ["conflict labels for a=2 and a=1", UP], None, id="any words, and it wrote on since"
        ),
        pytest.param(
            [UP, "Status: unknown flag: --graph", "See 'dockerd --help'., Code: 125"],
            "unknown flag: --graph",
            id="a flag",
        ),
        pytest.param(
            [
                "Status: unknown flag: --graph",
                "See 'dockerd --help'.",
                "",
                "Usage:\tdockerd [OPTIONS]",
                "      --bip string   IP",
            ],
            "unknown flag: --graph",
            id="a flag, engine 28",
        ),
        pytest.param(
            [
                "panic: close of closed channel",
                "",
                "goroutine 1 [running]:",
                "main.main()",
                "\t/src/main.go:12 +0x1d",
            ],
            "panic: close of closed channel",
            id="a panic",
        ),
        pytest.param(
            ["2026/11/24 03:55:33 http: TLS handshake error"], None, id="a library's own log"
        ),
    ],
)
def test_last_failure(lines: list[str], last: str | None) -> None:
    found = log(*lines).last_failure
    assert (found and found.text) == last


def test_forbidden() -> None:
    denied = daemon(
        silence=Unavailable("forbidden", ""),
        process=engine(),
        socket=SOCKET,
        caller=Caller(1000, "deploy"),
    )
    (finding,) = judge("daemon.socket-forbidden", daemon=denied).findings
    assert finding.summary == "deploy is not allowed to use /var/run/docker.sock"
    old = daemon(
        silence=denied.silence, process=engine(), caller=Caller(1000, "deploy", docker_group=True)
    )
    assert (
        "session is older"
        in next(iter(judge("daemon.socket-forbidden", daemon=old).findings)).summary
    )
    kept_out = replace(
        denied, caller=Caller(1000, "deploy", docker_group=True, session_has_it=True)
    )
    assert (
        "although in group docker"
        in only(judge("daemon.socket-forbidden", daemon=kept_out).findings).summary
    )
    assert judge("daemon.socket-forbidden", daemon=daemon()).findings == ()


@pytest.mark.parametrize(
    ("one", "what"),
    [
        pytest.param(
            daemon(silence=SILENT, process=engine("T"), age=5.0),
            "stopped by a signal",
            id="stopped",
        ),
        pytest.param(
            daemon(
                silence=SILENT,
                process=engine("D", threads={"D": 9}, stuck=[{"tid": 1, "wchan": "nfs4_wait"}]),
            ),
            "9 of its threads wait",
            id="a dead disk",
        ),
        pytest.param(
            daemon(silence=SILENT, process=engine(), age=9999.0), "does not answer", id="deadlock"
        ),
        pytest.param(
            daemon(silence=SILENT, same_host=False, where="served by python3 (9)"),
            "what listens at",
            id="no engine",
        ),
    ],
)
def test_hung(one: Daemon, what: str) -> None:
    finding = only(judge("daemon.hung", daemon=one, root=ROOT).findings)
    assert what in finding.summary


def test_hung_is_not_said() -> None:
    assert (
        judge(
            "daemon.hung", daemon=daemon(silence=SILENT, process=engine(), age=20.0), root=ROOT
        ).verdict
        == "unknown"
    )
    assert (
        judge("daemon.hung", daemon=daemon(silence=SILENT, endpoint=NAMED), root=ROOT).verdict
        == "unknown"
    )
    assert judge("daemon.hung", daemon=daemon(), root=ROOT).verdict == "passed"
    alone = Containers(
        (msgspec.convert({"Id": ID}, Container),),
        (Unexamined(container("stuck"), "inspect: timed out: x"),),
    )
    finding = only(
        judge("daemon.hung", daemon=daemon(silence=None), containers=alone, root=ROOT).findings
    )
    assert (finding.subject.name, finding.severity) == ("stuck", Severity.warning)


@pytest.mark.parametrize(
    "why", ["inspect: timed out: GET /v1.51/containers/" + ID + "/json: not a byte", ""]
)
def test_a_stopped_shim_is_told_also_on_a_busy_host(why: str) -> None:
    listed = () if why else (msgspec.convert({"Id": ID, "Name": "/web"}, Container),)
    known = Containers(listed, (Unexamined(container("web"), why),) if why else ())
    one = daemon(
        silence=None, process=engine(), shims={ID: Process(7, comm="containerd-shim", state="T")}
    )
    finding = only(
        judge(
            "daemon.hung",
            daemon=one,
            containers=known,
            root=ROOT,
            pressure=Pressure({}, (200.0, 200.0, 200.0), 2),
        ).findings
    )
    assert (finding.subject.name, finding.severity) == ("web", Severity.warning)
    command = runbooks.cure("daemon.hung", finding.variables, runbooks.Place())
    assert command is not None
    assert command.text == "kill -CONT 7"


def test_a_process_that_nobody_knows_is_in_no_command() -> None:
    finding = only(
        judge("daemon.hung", daemon=daemon(silence=SILENT, same_host=False), root=ROOT).findings
    )
    shown = [runbooks.cure("daemon.hung", finding.variables, runbooks.Place())]
    shown += runbooks.commands("daemon.hung", finding.variables, runbooks.Place())
    assert len(shown) > 1
    assert not [each for each in shown if each is None or "pid" in each.text.lower()]


def test_a_slow_engine_on_a_busy_host_is_a_warning() -> None:
    silent = daemon(silence=SILENT, process=engine(), age=9999.0)
    busy, quiet = Pressure({}, (200.0, 200.0, 200.0), 2), Pressure({}, (1.0, 1.0, 1.0), 2)
    assert (
        only(judge("daemon.hung", daemon=silent, root=ROOT, pressure=busy).findings).severity
        is Severity.warning
    )
    assert (
        only(judge("daemon.hung", daemon=silent, root=ROOT, pressure=quiet).findings).severity
        is None
    )
    stopped = daemon(silence=SILENT, process=engine("T"))
    assert (
        only(judge("daemon.hung", daemon=stopped, root=ROOT, pressure=busy).findings).severity
        is None
    )


SYSTEM_UNIT = Unit(
    load_state="loaded", active_state="failed", sub_state="failed", result="exit-code"
)


@pytest.mark.parametrize(
    ("one", "words", "fires"),
    [
        pytest.param(
            daemon(silence=None, process=engine(), containerds=()),
            NOTHING,
            True,
            id="gone under the engine",
        ),
        pytest.param(
            daemon(silence=None, process=engine(), containerds=(engine(),)),
            NOTHING,
            False,
            id="alive",
        ),
        pytest.param(daemon(containerds=()), NOTHING, False, id="it went with its engine"),
        pytest.param(
            daemon(containerds=(), containerd_unit=SYSTEM_UNIT), NOTHING, True, id="the unit failed"
        ),
        pytest.param(
            daemon(containerds=()),
            log("failed to start containerd: timeout waiting for containerd to start"),
            True,
            id="said",
        ),
    ],
)
def test_containerd_down(one: Daemon, words: Any, fires: bool) -> None:
    assert bool(judge("daemon.containerd-down", daemon=one, log=words).findings) is fires


def test_podman_has_no_such_parts() -> None:
    podman = daemon(
        silence=None, process=ProcessDetail(5, "podman"), containerds=(), is_podman=True
    )
    faults = ConfigFaults("/etc/docker/daemon.json", (Fault("", "x", 1, 1),))
    assert judge("daemon.containerd-down", daemon=podman).verdict == "skipped"
    assert judge("daemon.containerd-hung", daemon=podman, info=Info()).verdict == "skipped"
    assert judge("daemon.config-invalid", daemon=podman, config=faults).verdict == "skipped"
    assert (
        judge("daemon.live-restore-off", info=Info(containers_running=3), daemon=podman).verdict
        == "skipped"
    )


def test_containerd_hung() -> None:
    alive, quiet = engine("S", threads={"S": 9}), Unavailable("timed out", "GET /info")
    up = daemon(silence=None, process=engine(), containerds=(alive,))
    assert (
        len(
            judge(
                "daemon.containerd-hung", daemon=up, info=quiet, containers=Containers(())
            ).findings
        )
        == 1
    )  # type: ignore[arg-type]
    assert (
        judge("daemon.containerd-hung", daemon=up, info=Info(), containers=Containers(())).verdict
        == "passed"
    )
    stopped = daemon(silence=None, process=engine(), containerds=(engine("T"),))
    assert (
        len(
            judge(
                "daemon.containerd-hung", daemon=stopped, info=Info(), containers=Containers(())
            ).findings
        )
        == 1
    )  # type: ignore[arg-type]


def test_config_invalid_is_a_warning_while_the_engine_lives() -> None:
    faults = ConfigFaults(
        "/etc/docker/daemon.json", (Fault("mtu", "a number is needed", 2, 3),), 28
    )
    latent = judge("daemon.config-invalid", daemon=daemon(silence=None), config=faults)
    dead = judge("daemon.config-invalid", daemon=daemon(), config=faults)
    assert (rows(latent), rows(dead)) == ([("warning", "docker")], [("critical", "docker")])
    assert (
        latent.findings[0].evidence["/etc/docker/daemon.json line 2 column 3"]
        == "mtu: a number is needed"
    )


REMOVABLE = {
    "a decision": (Fault("default-runtime", "there is no such runtime", 2, 3), True),
    "a part of a key": (Fault("log-opts.max-size", "no size", 2, 3), False),
    "what protects the engine": (Fault("hosts", "no address", 2, 3), False),
    "no key at all": (Fault("", "a comma is missing", 2, 3), False),
}


@pytest.mark.parametrize("name", REMOVABLE)
def test_a_dead_engine_can_start_without_the_key_at_fault(name: str) -> None:
    fault, is_offered = REMOVABLE[name]
    faults = ConfigFaults(PATH, (fault,), 28)
    dead = judge("daemon.config-invalid", daemon=daemon(), config=faults)
    alive = judge("daemon.config-invalid", daemon=daemon(silence=None), config=faults)
    assert ("repair" in dead.findings[0].variables) == is_offered
    assert "repair" not in alive.findings[0].variables


STRINGS = '{\n  "icc": "false",\n  "debug": "true",\n  "mtu": "1500"\n}'


def test_faults_of_one_file_are_one_finding_with_one_diff() -> None:
    config = ConfigFaults(
        PATH, faults_of(STRINGS, 20), 20, "20.10.24", mending=mending(STRINGS, 20)
    )
    result = judge("daemon.config-invalid", daemon=daemon(silence=None), config=config)
    (finding,) = result.findings
    assert [key for key in finding.evidence if " line " in key] == [
        f"{PATH} line {n} column 3" for n in (2, 3, 4)
    ]
    assert finding.evidence["judged for engine"] == "20.10.24"
    assert finding.evidence["with these changes this engine takes the file"] == [
        'line 2: "icc": "false" becomes "icc": false',
        'line 3: "debug": "true" becomes "debug": true',
        'line 4: "mtu": "1500" becomes "mtu": 1500',
    ]


MENDED = [
    pytest.param('{"log-opts": {"max-size": "10m",}}', 28, id="a comma too many"),
    pytest.param('{\n  "debug": true,\n}\n', 28, id="a comma at the end of the line before"),
    pytest.param('{\n  "debug": true, // for now\n  "icc": false\n}', 28, id="a comment"),
    pytest.param('\ufeff{"debug": true}', 20, id="a byte order mark"),
    pytest.param('{"log-opts": {"max-sizee": "10m"}}', 28, id="a misspelt option"),
    pytest.param('{"live-restor": true}', 28, id="a misspelt name"),
    pytest.param('{"log-opts": {"max-file": 3, "max-size": "1m"}}', 28, id="a number for a text"),
    pytest.param('{"dns": "192.0.2.1"}', 28, id="a text for a list"),
    pytest.param(STRINGS, 26, id="texts for other types"),
]


@pytest.mark.parametrize(("text", "major"), MENDED)
def test_a_slip_is_mended_by_sed_as_it_is_here(text: str, major: int, tmp_path: Path) -> None:
    edits = mending(text, major)
    assert edits is not None
    file = tmp_path / "daemon.json"
    file.write_text(text)
    subprocess.run(["sed", "-i", "-e", edits.sed, str(file)], check=True)
    assert file.read_text() != text
    assert faults_of(file.read_text(), major) == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"dns": ["nowhere"]}', id="an address that is none"),
        pytest.param('{"debug": true, "zzzzzz": 1}', id="a name like no other"),
        pytest.param('{"debug": "perhaps"}', id="a text that is no bool"),
        pytest.param('{"debug": true', id="cut off"),
        pytest.param('{"debug": true}', id="nothing to mend"),
    ],
)
def test_what_takes_a_decision_is_left_to_a_person(text: str) -> None:
    assert mending(text, 28) is None


def config(**parts: Any) -> DaemonConfig:
    return DaemonConfig("/etc/docker/daemon.json", **{"exists": True, **parts})


@pytest.mark.parametrize(
    ("one", "fires"),
    [
        pytest.param(
            config(values={"hosts": ["tcp://h"]}, flags={"host": ["fd://"]}), True, id="the classic"
        ),
        pytest.param(
            config(values={"log-opts": {"a": "b"}}, flags={"log-opt": ["c=d"]}), True, id="a map"
        ),
        pytest.param(
            config(values={"proxies": {"http-proxy": "x"}}, flags={"http-proxy": ["y"]}),
            True,
            id="flattened",
        ),
        pytest.param(
            config(values={"runtimes": {"a": {}}}, flags={"add-runtime": ["b=c"]}),
            False,
            id="runtimes may",
        ),
        pytest.param(
            config(values={"debug": True}, flags={"host": ["fd://"]}),
            False,
            id="different settings",
        ),
    ],
)
def test_config_flag_conflict(one: DaemonConfig, fires: bool) -> None:
    assert (
        bool(judge("daemon.config-flag-conflict", daemon=daemon(silence=None), config=one).findings)
        is fires
    )


@pytest.mark.parametrize(
    ("words", "check", "fires"),
    [
        pytest.param(
            "failed to start daemon: error initializing graphdriver: driver not supported",
            "storage",
            True,
            id="driver",
        ),
        pytest.param(
            'level=warning msg="skip loading plugin aufs"', "storage", False, id="the usual notes"
        ),
        pytest.param(
            "failed to start daemon: Error initializing network controller: x",
            "bridge",
            True,
            id="network",
        ),
        pytest.param("failed to start daemon: x", "bridge", False, id="something else"),
    ],
)
def test_failed_starts(words: str, check: str, fires: bool) -> None:
    id = {"storage": "daemon.storage-driver-failed", "bridge": "daemon.bridge-init-failed"}[check]
    assert bool(judge(id, daemon=daemon(), log=log(words)).findings) is fires
    assert judge(id, daemon=daemon()).verdict == "unknown"
    assert judge(id, daemon=daemon(silence=None)).verdict == "passed"


@pytest.mark.parametrize(
    ("words", "first"),
    [
        pytest.param(
            "invalid CIDR address: 10.0.0.1", "cat /etc/docker/daemon.json", id="an address"
        ),
        pytest.param(
            "libnet controller initialization: invalid database", "mv ", id="a torn record"
        ),
        pytest.param(
            "failed to create NAT chain DOCKER: iptables not found",
            "iptables -t nat -nL",
            id="no program",
        ),
    ],
)
def test_networks_that_cannot_be_set_up_have_cures_of_their_own(words: str, first: str) -> None:
    said = log(f"failed to start daemon: Error initializing network controller: {words}")
    finding = only(
        judge("daemon.bridge-init-failed", daemon=daemon(), log=said, root=ROOT).findings
    )
    cure = runbooks.cure("daemon.bridge-init-failed", finding.variables, runbooks.Place())
    look = runbooks.confirm("daemon.bridge-init-failed", finding.variables, runbooks.Place())
    command = cure or look
    assert command is not None
    assert command.text.startswith(first)


def test_stale_pidfile() -> None:
    taken, own = (
        PidFile("/var/run/docker.pid", 4711, "sleep"),
        PidFile("/var/run/docker.pid", 69, "dockerd"),
    )
    assert [
        finding.variables["pid"]
        for finding in judge("daemon.stale-pidfile", daemon=daemon(pid_files=(taken,))).findings
    ] == ["4711"]
    assert judge("daemon.stale-pidfile", daemon=daemon(pid_files=(own,))).findings == ()
    assert (
        judge("daemon.stale-pidfile", daemon=daemon(silence=None, pid_files=(taken,))).findings
        == ()
    )


@pytest.mark.parametrize(
    ("state", "result", "restarts", "hit"),
    [
        pytest.param("failed", "start-limit-hit", "3", True, id="systemd 262"),
        pytest.param(
            "failed",
            "exit-code",
            "3",
            True,
            id="systemd 257, which keeps the last failure's result",
        ),
        pytest.param("activating", "exit-code", "3", False, id="about to be started again"),
        pytest.param("failed", "exit-code", "0", False, id="a unit that is not started again"),
    ],
)
def test_start_limit_hit(state: str, result: str, restarts: str, hit: bool) -> None:
    unit = Unit(
        load_state="loaded",
        active_state=state,
        result=result,
        n_restarts=restarts,
        start_limit_burst="3",
    )
    found = judge("daemon.start-limit-hit", daemon=daemon(unit=unit)).findings
    assert [each.summary for each in found] == [
        "systemd gave up on docker.service after 3 restarts"
    ] * hit
    assert judge("daemon.start-limit-hit", daemon=daemon(unit=SYSTEM_UNIT)).verdict == "passed"


@pytest.mark.parametrize(
    ("version", "exe", "found"),
    [
        pytest.param("24.0.7", None, ["ended"], id="a line that has ended"),
        pytest.param("28.5.2", None, [], id="a line with fixes"),
        pytest.param("30.0.0", None, [], id="newer than we know"),
        pytest.param("20.10.24+dfsg1", None, [], id="Debian's"),
        pytest.param("24.0.7-0ubuntu2", None, [], id="Ubuntu's"),
        pytest.param("20.10.25-3.el9", None, [], id="of a Red Hat family"),
        pytest.param(
            "28.5.2", "/usr/bin/dockerd (deleted)", ["replaced"], id="upgraded, not restarted"
        ),
    ],
)
def test_engine_outdated(version: str, exe: str | None, found: list[str]) -> None:
    one = daemon(silence=None, process=ProcessDetail(69, "dockerd", exe=exe))
    listed = judge(
        "daemon.engine-outdated",
        daemon=one,
        ping=Ping("1.43", version, ""),
        info=Info(server_version=version),
    ).findings
    assert [each.discriminator for each in listed] == found  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("one", "severity"),
    [
        pytest.param(
            config(flags={"host": ["fd://", "tcp://0.0.0.0:2375"]}), [None], id="all addresses"
        ),
        pytest.param(config(flags={"host": [":2375"]}), [None], id="without a scheme"),
        pytest.param(
            config(values={"hosts": ["tcp://127.0.0.1:2375"]}), [Severity.advice], id="loopback"
        ),
        pytest.param(
            config(flags={"host": ["tcp://0.0.0.0:2376"], "tlsverify": ["true"]}),
            [],
            id="with certificates",
        ),
        pytest.param(config(flags={"host": ["fd://", "unix:///run/x.sock"]}), [], id="sockets"),
    ],
)
def test_remote_api_open(one: DaemonConfig, severity: list[Severity | None]) -> None:
    found = judge(
        "daemon.remote-api-open", config=one, daemon=daemon(silence=None, process=engine())
    ).findings
    assert [each.severity for each in found] == severity  # type: ignore[union-attr]
    assert judge("daemon.remote-api-open", config=one, daemon=daemon()).verdict == "skipped"


def test_client_api_too_old() -> None:
    said = "client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client"
    line = f'time="2026-01-02T03:04:05Z" level=debug msg="Handler for GET /v1.24/info returned error: {said}"'
    clock = Clock(1767323105.0, 0.0)
    traefik = msgspec.convert({"Id": ID, "Name": "/traefik"}, Container)
    quiet = SocketClients((traefik,))
    finding = only(
        judge(
            "daemon.client-api-too-old",
            clients=quiet,
            log=log(line),
            options=Options(),
            clock=clock,
        ).findings
    )
    assert (
        finding.summary == "a client of API 1.24 is turned away: this engine requires at least 1.44"
    )
    assert (
        judge(
            "daemon.client-api-too-old",
            clients=quiet,
            log=log(line),
            options=Options(since_s=30),
            clock=clock,
        ).findings
        == ()
    )
    loud = SocketClients((traefik,), (TurnedAway(traefik, "1.24", "1.44", said),))
    of_container = judge("daemon.client-api-too-old", clients=loud, options=Options(), clock=clock)
    assert [str(finding.subject) for finding in of_container.findings] == ["container:traefik"]


@pytest.mark.parametrize(
    ("created", "date", "count"),
    [
        pytest.param("2026-01-02T03:04:05Z", None, 0, id="in the past"),
        pytest.param("2026-01-02T03:05:40Z", None, 0, id="seconds apart"),
        pytest.param("2026-01-02T05:04:05Z", None, 1, id="in the future"),
        pytest.param("2026-01-02T03:04:05Z", 1767322000.0, 1, id="the engine's clock"),
    ],
)
def test_clock_skewed(created: str, date: float | None, count: int) -> None:
    one = Containers((msgspec.convert({"Id": ID, "Name": "/web", "Created": created}, Container),))
    clock = Clock(1767323105.0, 0.0)
    assert (
        len(
            judge(
                "daemon.clock-skewed", clock=clock, ping=Ping("1.41", "", "", date), containers=one
            ).findings
        )
        == count
    )


ALIVE = daemon(silence=None, process=engine())


def test_live_restore_off() -> None:
    assert (
        len(
            judge("daemon.live-restore-off", info=Info(containers_running=3), daemon=ALIVE).findings
        )
        == 1
    )  # type: ignore[arg-type]
    assert judge("daemon.live-restore-off", info=Info(), daemon=ALIVE).verdict == "passed"
    assert (
        judge(
            "daemon.live-restore-off",
            info=Info(containers_running=3, live_restore_enabled=True),
            daemon=ALIVE,
        ).verdict
        == "passed"
    )
    assert (
        judge(
            "daemon.live-restore-off", info=Info(swarm=SwarmMembership("active")), daemon=ALIVE
        ).verdict
        == "skipped"
    )


DEBUGGING = {
    "debug mode": (Info(debug=True), ALIVE, [("advice", "docker")]),
    "as usual": (Info(), ALIVE, []),
    "Podman": (Info(debug=True), Daemon(NAMED, Caller(), is_podman=True), []),
}


@pytest.mark.parametrize(("info", "daemon", "expected"), DEBUGGING.values(), ids=DEBUGGING)
def test_debug_mode(info: Info, daemon: Daemon, expected: list[tuple[str, str]]) -> None:
    assert rows(judge("daemon.debug-on", info=info, daemon=daemon)) == expected


OWN: dict[str, Any] = {
    "ID": ID, "Name": "/web", "Created": "2026-01-02T03:04:05Z", "RestartCount": 2, "Config": {"Image": "shop:1.4"},
    "State": {"Running": True, "Pid": 812, "StartedAt": "2026-01-02T03:04:05Z", "ExitCode": 0},
    "MountPoints": {"/data": {"Type": "bind", "Source": "/srv", "Destination": "/data", "RW": False}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("state", "pid", "status"),
    [
        pytest.param({}, 900, "running", id="its process lives"),
        pytest.param({}, 0, "exited", id="the file says running, and it is dead"),
        pytest.param({}, None, "running", id="processes cannot be seen"),
        pytest.param({"Paused": True}, 900, "paused", id="paused"),
        pytest.param(
            {"Running": True, "Restarting": True}, 0, "restarting", id="between two lives"
        ),
        pytest.param(
            {"Running": False, "StartedAt": "0001-01-01T00:00:00Z"},
            0,
            "created",
            id="never started",
        ),
        pytest.param({"Running": False, "Dead": True}, 0, "dead", id="half removed"),
    ],
)
def test_container_from_its_files(state: dict[str, Any], pid: int | None, status: str) -> None:
    found = container_of({**OWN, "State": {**OWN["State"], **state}}, {"Memory": 64}, pid)
    assert found.state.status == status
    assert (found.name, found.restart_count, found.host_config.memory) == ("web", 2, 64)
    assert [(mount.source, mount.rw) for mount in found.mounts or ()] == [("/srv", False)]
