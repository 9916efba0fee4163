"""Damaged and locked database files of the engine, from its log and /proc/locks."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.daemon import Caller, Daemon, Endpoint, ProcessDetail
from diagnose.evidence.engine.daemon_processes import DaemonProcesses
from diagnose.evidence.engine.data.databases import (
    DamagedDatabase,
    EngineDatabases,
    LockedDatabase,
    engine_databases,
)
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.installed.installation import Installation
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import LogLine, parse
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Unavailable
from tests.hosts import Made
from tests.judging import judge, rows

ROOT = DataRoot("/var/lib/docker", "default")
START = 'time="2026-01-02T03:04:05Z" level=info msg="Starting up"'
DEAD = Daemon(
    Endpoint("unix:///var/run/docker.sock", "unix"),
    Caller(),
    Unavailable("refused", ""),
    installation=Installation(installed=True),
)
ALIVE = Daemon(
    Endpoint("unix:///var/run/docker.sock", "unix"),
    Caller(),
    processes=DaemonProcesses(ProcessDetail(50, "dockerd")),
)
PANIC = "panic: invalid freelist page: 0, page type is unknown<00>"


def _stack(*frames: str) -> list[str]:
    """A stack as Go prints it below a panic: each function with its file."""
    lines = ["", "goroutine 1 [running]:"]
    for frame in (
        "go.etcd.io/bbolt.(*freelist).read(0x0?, 0x7f)",
        "go.etcd.io/bbolt.Open({0xc0, 0x29}, 0x1)",
        *frames,
    ):
        lines += [frame, "\t/build/src/file.go:266 +0x22e"]
    return lines


def _collected(daemon: Daemon, *lines: str, locks: str = "") -> EngineDatabases:
    log = DaemonLog(parse([START, *lines]), "/var/log/docker.log")
    processes = Processes((Process(298, comm="restic"), Process(50, comm="dockerd")))
    stats = {f"{ROOT.path}/volumes/metadata.db": {"type": "file", "dev": "7:0", "ino": 45}}
    host = Made({"file.read": {"text": locks}, "file.stats": stats})
    databases = engine_databases(host, daemon, ROOT, log, processes)
    assert isinstance(databases, EngineDatabases)
    return databases


@pytest.mark.parametrize(
    ("lines", "file"),
    [
        pytest.param(
            [PANIC, *_stack("github.com/docker/docker/volume/service.NewStore({0xc0, 0xf}, 0x1)")],
            "volumes/metadata.db", id="volumes: panic",
        ),
        pytest.param(
            ["failed to start daemon: error while opening volume store metadata database: invalid database"],
            "volumes/metadata.db", id="volumes: an error",
        ),
        pytest.param(
            [PANIC, *_stack("github.com/docker/libkv/store/boltdb.(*BoltDB).getDBhandle(0xc0)")],
            "network/files/local-kv.db", id="networks on 20.10",
        ),
        pytest.param(
            [PANIC, *_stack("github.com/docker/docker/vendor/github.com/moby/buildkit/cache/metadata.NewStore({0xc0, 0x2})")],
            "buildkit/metadata_v2.db", id="builds on 20.10",
        ),
        pytest.param(
            [PANIC, *_stack("github.com/docker/docker/builder/builder-next.newGraphDriverController({_, _}, {_, _})")],
            "buildkit/containerdmeta.db", id="builds on 28.5",
        ),
        pytest.param(
            ["failed to open database file /var/lib/docker/buildkit/cache.db: invalid database"],
            "buildkit/cache.db", id="the path is named",
        ),
        pytest.param(["invalid database"], "buildkit/containerdmeta.db", id="a bare word of 20.10"),
        pytest.param(
            ["panic: invalid page type: 0: 0", *_stack("github.com/containerd/containerd/metadata.getBucket(0xc0)"),
             "failed to start containerd: timeout waiting for containerd to start"],
            "containerd/daemon/io.containerd.metadata.v1.bolt/meta.db", id="containerd's own on 20.10",
        ),
        pytest.param(
            ["panic: invalid freelist page: 0, page type is unknown<00>",
             *_stack("github.com/containerd/containerd/services/server.LoadPlugins.func2(0xc0)")],
            "containerd/daemon/io.containerd.metadata.v1.bolt/meta.db", id="containerd's own on 20.10, its free list",
        ),
        pytest.param(
            ["panic: assertion failed: Page expected to be: 3, but self identifies as 0",
             *_stack("github.com/containerd/containerd/v2/plugins/metadata.init.1.func1(0x2)"),
             "failed to start containerd: timeout waiting for containerd to start"],
            "containerd/daemon/io.containerd.metadata.v1.bolt/meta.db", id="containerd's own, behind a timeout",
        ),
    ],
)  # fmt: skip
def test_the_damaged_file_is_told_from_the_stack_or_the_words(lines: list[str], file: str) -> None:
    damaged = _collected(DEAD, *lines).damaged
    assert damaged is not None
    assert damaged.path == f"{ROOT.path}/{file}"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["failed to start daemon: pid file found"], id="another failure"),
        pytest.param(
            [
                "panic: runtime error: index out of range",
                "",
                "goroutine 1 [running]:",
                "example.com/x/y.Run(0x1)",
            ],
            id="another panic",
        ),
        pytest.param(
            [
                "fatal error: unexpected fault address 0x1",
                "",
                "goroutine 1 [running]:",
                "example.com/x/y.Run(0x1)",
            ],
            id="a fault elsewhere",
        ),
    ],
)
def test_other_ends_are_not_damage(lines: list[str]) -> None:
    assert _collected(DEAD, *lines).damaged is None


RESET = (
    'time="2026-01-02T03:04:06Z" level=error msg="failed to open database file /var/lib/docker/buildkit/cache.db, resetting to '
    'empty. invalid database"'
)
UNLOADED = (
    'time="2026-01-02T03:04:06Z" level=warning msg="failed to load plugin" error="invalid database" '
    "id=io.containerd.metadata.v1.bolt type=io.containerd.metadata.v1"
)


def test_a_living_engine_lacks_only_what_it_cannot_make_again() -> None:
    assert _collected(ALIVE, RESET).damaged is None
    damaged = _collected(ALIVE, UNLOADED).damaged
    assert damaged is not None
    assert damaged.path.endswith("/meta.db")


@pytest.mark.parametrize(
    ("locks", "holders"),
    [
        pytest.param(
            "41: FLOCK  ADVISORY  WRITE 298 07:00:45 0 EOF\n",
            [(298, "restic")],
            id="another program",
        ),
        pytest.param("41: FLOCK  ADVISORY  WRITE 298 07:00:46 0 EOF\n", [], id="another file"),
        pytest.param(
            "41: POSIX  ADVISORY  READ 298 07:00:45 0 EOF\n",
            [],
            id="a lock that bbolt does not mind",
        ),
        pytest.param(
            "41: FLOCK  ADVISORY  WRITE 0 07:00:45 0 EOF\n",
            [],
            id="a holder in another pid namespace",
        ),
        pytest.param("", [], id="none"),
    ],
)
def test_the_holder_of_a_lock(locks: str, holders: list[tuple[int, str]]) -> None:
    assert [(lock.pid, lock.comm) for lock in _collected(DEAD, locks=locks).locked] == holders


def test_the_engine_itself_is_no_strange_holder() -> None:
    hung = Daemon(
        DEAD.endpoint,
        Caller(),
        Unavailable("timed out", ""),
        processes=DaemonProcesses(ProcessDetail(298, "dockerd")),
    )
    assert _collected(hung, locks="41: FLOCK  ADVISORY  WRITE 298 07:00:45 0 EOF\n").locked == ()


OF_DOCKERD = "41: FLOCK  ADVISORY  WRITE 50 07:00:45 0 EOF\n"


def test_a_dockerd_that_may_be_starting_is_no_strange_holder() -> None:
    assert _collected(DEAD, locks=OF_DOCKERD).locked == ()
    ended = _collected(
        DEAD, "failed to start daemon: error while opening volume store: timeout", locks=OF_DOCKERD
    )
    assert [lock.comm for lock in ended.locked] == ["dockerd"]


def test_a_build_cache_that_was_reset_did_not_keep_the_engine_down() -> None:
    assert _collected(DEAD, RESET, "failed to start daemon: pid file found").damaged is None


VOLUMES = "/var/lib/docker/volumes/metadata.db"
NETWORKS = "/var/lib/docker/network/files/local-kv.db"


@pytest.mark.parametrize(
    ("path", "variable"),
    [
        pytest.param(VOLUMES, "rebuilt", id="made again from the folders"),
        pytest.param(NETWORKS, "networks", id="lost with the file"),
        pytest.param(
            "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db",
            "containerds",
            id="containerd's",
        ),
    ],
)
def test_the_cure_depends_on_the_file(path: str, variable: str) -> None:
    databases = EngineDatabases(DamagedDatabase(path, LogLine(1.0, "fatal", PANIC)), (), "log")
    (finding,) = judge("daemon.database-damaged", daemon=DEAD, databases=databases).findings
    assert finding.variables == {variable: path}


def test_locks_of_one_holder_are_one_finding() -> None:
    locked = (
        LockedDatabase(VOLUMES, 7, "dockerd"),
        LockedDatabase(NETWORKS, 7, "dockerd"),
        LockedDatabase(NETWORKS, 8),
    )
    result = judge("daemon.database-locked", daemon=DEAD, databases=EngineDatabases(None, locked))
    assert rows(result) == [("critical", "docker"), ("critical", "docker")]
    assert (
        judge("daemon.database-locked", daemon=ALIVE, databases=EngineDatabases()).verdict
        == "passed"
    )


def test_locks_do_not_matter_at_an_address_that_is_no_engines() -> None:
    elsewhere = Daemon(
        Endpoint("tcp://127.0.0.1:1", "tcp", "DOCKER_HOST", named=True),
        Caller(),
        Unavailable("refused", ""),
    )
    databases = EngineDatabases(None, (LockedDatabase(VOLUMES, 7, "dockerd"),))
    assert (
        judge("daemon.database-locked", daemon=elsewhere, databases=databases).verdict == "passed"
    )
