"""Checks of settings with which containers cannot start, of volumes, logs and inodes, on made
evidence."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.contents import (
    LogContents,
    LogRotation,
    NulLog,
    blocks,
    log_contents,
)
from diagnose.evidence.containers.logs.files import LogFile, LogFiles
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Caller, Daemon, Endpoint
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems, Usage
from diagnose.evidence.storage.usage.inode_usage import InodeHolder, InodeUsage
from diagnose.evidence.storage.volumes.refused_volumes import RefusedVolumes, refused_volumes
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes, Volume
from diagnose.model import DAEMON, Failed
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

ALIVE = Daemon(Endpoint("unix:///var/run/docker.sock", "unix"), Caller())
KNOWN = Info(runtimes={"runc": {}, "nvidia": {}})
STOPPED: dict[str, Any] = {"Status": "exited", "Pid": 0}


def _asking(runtime: str, **state: Any) -> Any:
    return container(
        "web", HostConfig={"Runtime": runtime}, **({"State": {**STOPPED, **state}} if state else {})
    )


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(
            _asking("kata", Error="unknown or invalid runtime name: kata"),
            "critical",
            id="down, from 23 on",
        ),
        pytest.param(
            _asking("kata", Error="runtime not found in config: kata"),
            "critical",
            id="down, on 20.10",
        ),
        pytest.param(_asking("kata"), "warning", id="it still runs"),
        pytest.param(_asking("kata", Error="another error"), "", id="stopped for another reason"),
        pytest.param(_asking("nvidia"), "", id="registered"),
        pytest.param(_asking("io.containerd.kata.v2"), "", id="a shim by its name"),
        pytest.param(_asking("/usr/bin/crun"), "", id="a path"),
        pytest.param(_asking(""), "", id="none named"),
    ],
)
def test_runtime_missing(one: Any, expected: str) -> None:
    result = judge("daemon.runtime-missing", daemon=ALIVE, info=KNOWN, containers=of(one))
    assert rows(result) == ([(expected, "docker")] if expected else [])


def test_containers_of_one_missing_runtime_are_one_finding() -> None:
    asking = [container(name, HostConfig={"Runtime": "kata"}) for name in ("a", "b", "c")]
    (finding,) = judge(
        "daemon.runtime-missing", daemon=ALIVE, info=KNOWN, containers=of(*asking)
    ).findings
    assert [str(subject) for subject in finding.touches] == [
        "container:a",
        "container:b",
        "container:c",
    ]


PATH = "/etc/docker/daemon.json"
REFUSAL = "OCI runtime create failed: runc create failed: wrong rlimit value: RLIMIT_: unknown"


@pytest.mark.parametrize(
    ("limits", "log", "expected"),
    [
        pytest.param(
            {"nofile": {"Hard": 1}},
            DaemonLog((LogLine(1.0, "error", REFUSAL),), "l"),
            "critical",
            id="seen",
        ),
        pytest.param({"nofile": {"Hard": 1}}, DaemonLog((), "l"), "warning", id="not yet"),
        pytest.param({"nofile": {"Name": "nofile", "Hard": 1}}, DaemonLog((), "l"), "", id="named"),
        pytest.param(
            {"nofile": {"name": "nofile", "hard": 1}},
            DaemonLog((), "l"),
            "",
            id="Go ignores the case",
        ),
        pytest.param({}, DaemonLog((), "l"), "", id="none"),
    ],
)
def test_ulimits_unnamed(limits: dict[str, Any], log: DaemonLog, expected: str) -> None:
    config = DaemonConfig(PATH, exists=True, values={"default-ulimits": limits})
    result = judge("daemon.ulimits-unnamed", daemon=ALIVE, config=config, log=log)
    assert rows(result) == ([(expected, "docker")] if expected else [])
    assert all(DAEMON in finding.touches for finding in result.findings)


MOUNT = (
    "failed to populate volume: error while mounting volume '/var/lib/docker/volumes/media/_data': failed to mount local volume: "
    "mount :/exports:/var/lib/docker/volumes/media/_data, data: addr=192.0.2.9: no such device"
)
TYPES = {"Volumes": [{"Name": "media", "Options": {"type": "nfs"}}]}


def _refused(text: str, filesystems: str, error: str = "") -> RefusedVolumes:
    host = Made({"file.read": {"text": filesystems}, "api.volumes": TYPES})
    log = DaemonLog((LogLine(90.0, "error", text),), "log")
    waiting = [container("web", State={**STOPPED, "Error": error})] if error else []
    volumes = refused_volumes(host, of(*waiting), log, Clock(100.0, 0.0), Options(since_s=50))
    assert isinstance(volumes, RefusedVolumes)
    return volumes


@pytest.mark.parametrize(
    ("text", "filesystems", "error", "expected"),
    [
        pytest.param(MOUNT, "nodev\ttmpfs\n\text4\n", "", "warning", id="nobody waits"),
        pytest.param("x", "nodev\ttmpfs\n\text4\n", MOUNT, "critical", id="a container waits"),
        pytest.param(MOUNT, "nodev\tnfs\n", "", "", id="the module was loaded since"),
        pytest.param("mount /dev/sdx: no such device", "nodev\ttmpfs\n", "", "", id="other words"),
    ],
)
def test_filesystem_unsupported(text: str, filesystems: str, error: str, expected: str) -> None:
    result = judge("storage.filesystem-unsupported", volumes=_refused(text, filesystems, error))
    assert rows(result) == ([(expected, "media")] if expected else [])


LOGROTATE = """
# /var/lib/docker/containers/*/*.log in a comment
/var/log/app/*.log /srv/more.log {
    daily
}
"/var/lib/docker/containers/*/*.log" {
    copytruncate
}
"""


def test_patterns_of_a_logrotate_file() -> None:
    assert [pattern for pattern, _ in blocks(LOGROTATE)] == [
        "/var/log/app/*.log",
        "/srv/more.log",
        "/var/lib/docker/containers/*/*.log",
    ]


LOGGED = container(
    "web",
    LogPath="/var/lib/docker/containers/9f/9f-json.log",
    HostConfig={"LogConfig": {"Type": "json-file", "Config": {}}},
)
ELSEWHERE = container(
    "web", LogPath="", HostConfig={"LogConfig": {"Type": "journald", "Config": {}}}
)


@pytest.mark.parametrize(
    ("one", "name", "text", "rotated", "damaged"),
    [
        pytest.param(
            LOGGED, "docker-containers", LOGROTATE, True, False, id="its files are rotated"
        ),
        pytest.param(
            LOGGED, "docker-containers.disabled", LOGROTATE, False, False, id="switched off"
        ),
        pytest.param(ELSEWHERE, "docker-containers", LOGROTATE, False, False, id="no such files"),
        pytest.param(LOGGED, "app", '{"log":"x"}\n\x00\x00\x00', False, True, id="a damaged log"),
    ],
)
def test_log_contents(one: Any, name: str, text: str, rotated: bool, damaged: bool) -> None:
    entries = {"entries": [{"name": name, "type": "file"}]}
    host = Made(
        {
            "file.list": entries if rotated or name != "app" else {"entries": []},
            "file.read": {"text": text},
        }
    )
    logs = LogFiles({one.id: LogFile(one.log_path, 100)})
    contents = log_contents(host, of(one), logs)
    if name.endswith(".disabled"):
        contents = LogContents(
            tuple(rotation for rotation in contents.rotations if name in rotation.path),
            contents.damaged,
        )
    assert (bool(contents.rotations), bool(contents.damaged)) == (rotated, damaged)


def test_findings_about_logs() -> None:
    contents = LogContents(
        (LogRotation("/etc/logrotate.d/d", "/var/lib/docker/containers/*/*.log", True, "web"),),
        (NulLog(LOGGED, "/x.log", "near its end"),),
    )
    assert rows(judge("logging.rotated-by-host", contents=contents)) == [("warning", "docker")]
    assert rows(judge("logging.file-damaged", contents=contents)) == [("warning", "web")]
    assert judge("logging.rotated-by-host", contents=LogContents((), ())).verdict == "passed"
    copied = LogContents(contents.rotations, ())
    assert rows(judge("logging.rotated-by-host", contents=copied)) == [("advice", "docker")]


def test_logs_that_may_not_be_read_are_not_whole() -> None:
    host = Made(
        {
            "file.list": Failed("forbidden", "/etc/logrotate.d"),
            "file.read": Failed("forbidden", "not root"),
        }
    )
    contents = log_contents(host, of(LOGGED), LogFiles({LOGGED.id: LogFile(LOGGED.log_path, 100)}))
    assert judge("logging.rotated-by-host", contents=contents).verdict == "unknown"
    assert judge("logging.file-damaged", contents=contents).verdict == "unknown"


DISK = Filesystem(
    "/var/lib/docker",
    Usage("/var/lib/docker", "ext4", "/dev/x", 100, 50, 50, 50, 1000, 5, "8:1", False),
    ("data root",),
)
ANONYMOUS = "ab" * 32


@pytest.mark.parametrize(
    ("top", "unused", "variables"),
    [
        pytest.param(
            f"volumes/{ANONYMOUS}",
            (Volume(ANONYMOUS),),
            {"point", "crowded", "volume"},
            id="an unused anonymous volume",
        ),
        pytest.param("volumes/orders", (), {"point", "crowded"}, id="a volume in use"),
        pytest.param("overlay2/9f", (), {"point", "crowded", "force"}, id="layers"),
        pytest.param(
            "../gogs", (), {"point", "crowded", "mounted_by"}, id="a folder that a container mounts"
        ),
    ],
)
def test_who_ate_the_inodes(top: str, unused: tuple[Volume, ...], variables: set[str]) -> None:
    users = ("gogs",) if top == "../gogs" else ()
    holder = InodeHolder(f"/var/lib/docker/{top}", 900, 10, users)
    usage = InodeUsage(
        {"/var/lib/docker": (holder,)},
        {top.rpartition("/")[2]: holder} if top.startswith("volumes") else {},
    )
    result = judge(
        "storage.inodes-exhausted",
        filesystems=Filesystems((DISK,)),
        holders=usage,
        unused=UnusedVolumes(unused),
    )
    assert rows(result) == [("critical", "/var/lib/docker")]
    assert result.findings[0].variables.keys() == variables
