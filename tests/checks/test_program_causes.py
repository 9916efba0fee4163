"""The checks that confirm on the host what a failed program says: they fire on proof, and stay
silent without it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.bind_mounts import PathStatus
from diagnose.evidence.containers.data_files import DataFiles, DataVersion, MountedPidFile
from diagnose.evidence.containers.descriptor_limits import (
    ComputingProcess,
    ComputingProcesses,
    computing_processes,
)
from diagnose.evidence.containers.file_access import HostUser
from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.log_tails import LogTail, LogTails
from diagnose.evidence.containers.mount_access import DeniedMount, MountAccess
from diagnose.evidence.containers.program_faults import (
    ProgramFault,
    ProgramFaults,
    parsed,
    program_faults,
)
from diagnose.evidence.containers.refused_files import RefusedFile, RefusedFiles, refused_files
from diagnose.evidence.containers.split_data import SplitMount, SplitMounts, split_mounts
from diagnose.evidence.containers.stops import Stops
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.machine.kernel_settings import KernelSettings
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.machine.processor import Processor
from diagnose.evidence.run.options import Options
from diagnose.model import Result
from diagnose.programs.exit_codes import described, is_fault, signal_of
from diagnose.programs.heap_sizes import heap_size
from tests.checks.test_container import CLOCK, NOW, at, made
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

MIB = 1 << 20
OPTIONS = Options()
MAP_COUNT = "[1]: max virtual memory areas vm.max_map_count [65530] is too low, increase to at least [262144]"
FOUND = [("critical", "web")]
PEER_PORT: dict[str, Any] = {"Config": {"ExposedPorts": {"5432/tcp": {}}}}
ON_SHOP: dict[str, Any] = {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "172.18.0.2"}}}}
REFUSED = 'connection to server at "localhost" (127.0.0.1), port 5432 failed: Connection refused'


def failed(*lines: str, **parts: Any) -> tuple[Container, LogTails]:
    """A container that failed a minute ago, and its log."""
    container = made("exited", code=1, **parts)
    return container, LogTails({container.id: LogTail(lines)}, {})


@pytest.mark.parametrize(("value", "expected"), [(65530, FOUND), (262144, []), (None, [])])
def test_a_kernel_setting_is_compared_with_the_host(
    value: int | None, expected: list[tuple[str, str]]
):
    container, log_tails = failed(MAP_COUNT, "closed")
    settings = KernelSettings({} if value is None else {"vm.max_map_count": value})
    result = judge(
        "container.kernel-setting-low",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        kernel_settings=settings,
    )
    assert rows(result) == expected
    assert [finding.variables["assignment"] for finding in result.findings] == [
        "vm.max_map_count=262144"
    ] * len(expected)


def test_a_program_that_has_got_over_it_is_left_alone():
    steady = made("running", age=7200, RestartCount=2)
    log_tails = LogTails({steady.id: LogTail((MAP_COUNT,))}, {})
    settings = KernelSettings({"vm.max_map_count": 65530})
    result = judge(
        "container.kernel-setting-low",
        containers=of(steady),
        clock=CLOCK,
        log_tails=log_tails,
        kernel_settings=settings,
    )
    assert rows(result) == []


DATA = {
    "Type": "volume",
    "Name": "data",
    "Source": "/var/lib/docker/volumes/data/_data",
    "Destination": "/d",
    "RW": True,
}


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("another one writes there", made("running", name="db", Mounts=[DATA]), FOUND),
        ("another one only reads", made("running", name="db", Mounts=[{**DATA, "RW": False}]), []),
        ("the other one is down", made("exited", name="db", Mounts=[DATA]), []),
        ("another volume", made("running", name="db", Mounts=[{**DATA, "Source": "/x"}]), []),
    ],
)
def test_who_holds_the_data(name: str, other: Container, expected: list[tuple[str, str]]):
    container, log_tails = failed(
        "[ERROR] InnoDB: Unable to lock ./ibdata1 error: 11", Mounts=[DATA]
    )
    result = judge(
        "container.data-locked", containers=of(container, other), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == expected
    assert [finding.variables["holder"] for finding in result.findings] == ["db"] * len(expected)


POSTGRES = "DETAIL:  The data directory was initialized by PostgreSQL version 13, which is not compatible with this version 16.2"


@pytest.mark.parametrize(("version", "expected"), [("13", FOUND), ("12", []), ("", [])])
def test_the_version_in_the_data(version: str, expected: list[tuple[str, str]]):
    container, log_tails = failed(
        "FATAL:  database files are incompatible with server",
        POSTGRES,
        Config={"Image": "postgres:16"},
    )
    if version:
        versions = {
            container.id: DataVersion(version, "/v/PG_VERSION", Mount(type="volume", name="data"))
        }
    else:
        versions = {}
    result = judge(
        "container.data-version-mismatch",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        data_files=DataFiles(versions, {}),
    )
    assert rows(result) == expected
    assert [finding.variables["old_image"] for finding in result.findings] == ["postgres:13"] * len(
        expected
    )


@pytest.mark.parametrize(
    ("source", "variables"),
    [("/srv/app/server.pid", {"container", "source"}), ("", {"container", "file"})],
)
def test_a_pid_file_is_removed_where_it_is(source: str, variables: set[str]):
    container, log_tails = failed(
        "A server is already running. Check /app/tmp/pids/server.pid.", "Exiting"
    )
    files = DataFiles({}, {container.id: MountedPidFile("/app/tmp/pids/server.pid", source)})
    result = judge(
        "container.pid-file-stale",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        data_files=files,
    )
    (finding,) = result.findings
    assert set(finding.variables) == variables
    nothing = judge(
        "container.pid-file-stale",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        data_files=DataFiles({}, {}),
    )
    assert rows(nothing) == []


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        (None, FOUND),
        (["POSTGRES_PASSWORD="], FOUND),
        (["POSTGRES_PASSWORD=x"], []),
        (["POSTGRES_HOST_AUTH_METHOD=trust"], []),
    ],
)
def test_a_variable_that_is_missing(env: list[str] | None, expected: list[tuple[str, str]]):
    container, log_tails = failed(
        "Error: Database is uninitialized and superuser password is not specified.",
        Config={"Env": env},
    )
    assert (
        rows(
            judge(
                "container.variable-missing",
                containers=of(container),
                clock=CLOCK,
                log_tails=log_tails,
            )
        )
        == expected
    )


@pytest.mark.parametrize(
    ("flags", "expected"), [({"sse2"}, FOUND), ({"sse2", "sse4_2", "popcnt", "ssse3"}, [])]
)
def test_a_processor_of_an_older_level(flags: set[str], expected: list[tuple[str, str]]):
    container, log_tails = failed("Fatal glibc error: CPU does not support x86-64-v2")
    result = judge(
        "container.cpu-unsupported",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        processor=Processor("QEMU", frozenset(flags)),
    )
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("flags", "expected"), [({"sse4_2"}, FOUND), ({"sse4_2", "avx", "avx2"}, [])]
)
def test_a_trap_without_a_log_counts_only_where_a_feature_is_missing(
    flags: set[str], expected: list[tuple[str, str]]
):
    container = made("exited", code=132)
    fault = ProgramFault(
        NOW - 60, "mongod", 7, "trap", "invalid opcode", "traps: mongod[7] trap invalid opcode"
    )
    result = judge(
        "container.cpu-unsupported",
        containers=of(container),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        processor=Processor("QEMU", frozenset(flags)),
        program_faults=ProgramFaults({container.id: fault}),
    )
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("options", "security", "expected"),
    [
        (None, ["name=seccomp,profile=default"], FOUND),
        (["seccomp=unconfined"], ["name=seccomp,profile=default"], []),
        (['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'], [], FOUND),
        (None, [], []),
    ],
)
def test_a_filter_has_to_be_in_force(
    options: list[str] | None, security: list[str], expected: list[tuple[str, str]]
):
    container, log_tails = failed(
        "runtime/cgo: pthread_create failed: Operation not permitted",
        HostConfig={"SecurityOpt": options},
    )
    result = judge(
        "container.syscall-refused",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        info=Info(security_options=security, server_version="20.10.7"),
    )
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("name", "container", "expected"),
    [
        (
            "killed",
            made(
                "exited",
                code=137,
                HostConfig={"Memory": 64 * MIB},
                Config={"Env": ["JAVA_OPTS=-Xmx1g"]},
            ),
            FOUND,
        ),
        (
            "works",
            made(
                "running",
                age=9000,
                HostConfig={"Memory": 64 * MIB},
                Config={"Env": ["JAVA_OPTS=-Xmx1g"]},
            ),
            [("advice", "web")],
        ),
        (
            "fits",
            made(
                "exited",
                code=137,
                HostConfig={"Memory": 64 * MIB},
                Config={"Env": ["JAVA_OPTS=-Xmx32m"]},
            ),
            [],
        ),
        ("no limit", made("exited", code=137, Config={"Env": ["JAVA_OPTS=-Xmx1g"]}), []),
        (
            "ended otherwise",
            made(
                "exited",
                code=1,
                HostConfig={"Memory": 64 * MIB},
                Config={"Env": ["JAVA_OPTS=-Xmx1g"]},
            ),
            [],
        ),
    ],
)
def test_a_heap_above_the_limit(name: str, container: Container, expected: list[tuple[str, str]]):
    result = judge(
        "container.heap-above-limit",
        containers=of(container),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
    )
    assert rows(result) == expected


def test_the_heap_that_counts_is_the_last_and_the_largest():
    assert heap_size(["java", "-Xmx1g", "-Xmx512m", "-jar", "a.jar"], []) == (512 * MIB, "-Xmx512m")
    assert heap_size(["node", "--max-old-space-size=4096", "a.js"], []) == (
        4096 * MIB,
        "--max-old-space-size=4096",
    )
    assert heap_size(["java"], ["ES_JAVA_OPTS=-Xms1g -Xmx2g", "OTHER=-Xmx9g"]) == (
        2048 * MIB,
        "-Xmx2g",
    )
    assert heap_size(["httpd"], []) == (0, "")


@pytest.mark.parametrize(
    ("name", "other", "own", "expected"),
    [
        (
            "another one offers the port",
            made("running", name="db", **PEER_PORT, **ON_SHOP),
            ON_SHOP,
            FOUND,
        ),
        ("on another network", made("running", name="db", **PEER_PORT), ON_SHOP, FOUND),
        ("nobody offers it", made("running", name="db", **ON_SHOP), ON_SHOP, []),
        ("the other one is down", made("exited", name="db", **PEER_PORT), ON_SHOP, []),
        (
            "the host's network",
            made("running", name="db", **PEER_PORT),
            {"HostConfig": {"NetworkMode": "host"}},
            [],
        ),
    ],
)
def test_localhost_in_a_container(
    name: str, other: Container, own: dict[str, Any], expected: list[tuple[str, str]]
):
    container, log_tails = failed(REFUSED, **own)
    result = judge(
        "container.loopback-peer", containers=of(container, other), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == expected
    assert [finding.variables["peer"] for finding in result.findings] == ["db:5432"] * len(expected)


@pytest.mark.parametrize(
    ("line", "config", "expected"),
    [
        ("RTNETLINK answers: Operation not permitted", {}, FOUND),
        ("RTNETLINK answers: Operation not permitted", {"CapAdd": ["NET_ADMIN"]}, []),
        ("RTNETLINK answers: Operation not permitted", {"CapAdd": ["CAP_NET_ADMIN"]}, []),
        ("RTNETLINK answers: Operation not permitted", {"Privileged": True}, []),
        ("s6-overlay-suexec: fatal: can only run as pid 1", {"Init": True}, FOUND),
        ("s6-overlay-suexec: fatal: can only run as pid 1", {}, []),
        ("Error: getaddrinfo ENOTFOUND host.docker.internal", {}, FOUND),
        (
            "Error: getaddrinfo ENOTFOUND host.docker.internal",
            {"ExtraHosts": ["host.docker.internal:host-gateway"]},
            [],
        ),
        (
            "mkdir: can't create directory '/var/cache/x': Read-only file system",
            {"ReadonlyRootfs": True},
            FOUND,
        ),
        ("mkdir: can't create directory '/var/cache/x': Read-only file system", {}, []),
        (
            'error: failed switching to "postgres": operation not permitted',
            {"CapDrop": ["ALL"]},
            FOUND,
        ),
        ('error: failed switching to "postgres": operation not permitted', {}, []),
    ],
)
def test_an_option_that_is_missing(
    line: str, config: dict[str, Any], expected: list[tuple[str, str]]
):
    container, log_tails = failed(line, HostConfig=config)
    assert (
        rows(
            judge(
                "container.option-missing",
                containers=of(container),
                clock=CLOCK,
                log_tails=log_tails,
            )
        )
        == expected
    )


@pytest.mark.parametrize(("api", "expected"), [("1.41", FOUND), ("1.47", [])])
def test_a_client_that_is_too_new(api: str, expected: list[tuple[str, str]]):
    container, log_tails = failed(
        "client version 1.44 is too new. Maximum supported API version is 1.41"
    )
    result = judge(
        "container.client-api-too-new",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        ping=Ping(api, "20.10.24", ""),
    )
    assert rows(result) == expected


PORTS: dict[str, Any] = {"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}


@pytest.mark.parametrize(
    ("name", "container", "expected"),
    [
        ("ended at once", made("exited", HostConfig=PORTS), [("warning", "web")]),
        ("worked for an hour", made("exited", ran=3600, HostConfig=PORTS), []),
        ("failed", made("exited", code=1, HostConfig=PORTS), []),
        ("a job", made("exited"), []),
        ("in the foreground", made("exited", HostConfig=PORTS, Config={"AttachStdout": True}), []),
        ("last week", made("exited", age=7 * 86400, HostConfig=PORTS), []),
        ("loops", made("restarting", RestartCount=5, HostConfig=PORTS), [("warning", "web")]),
        ("runs", made("running", HostConfig=PORTS), []),
    ],
)
def test_a_server_in_the_background(
    name: str, container: Container, expected: list[tuple[str, str]]
):
    def verdict(known: Stops) -> list[tuple[str, str]]:
        return rows(
            judge(
                "container.daemonized",
                containers=of(container),
                clock=CLOCK,
                options=OPTIONS,
                stops=known,
            )
        )

    assert verdict(Stops({container.id: False})) == expected
    if container.state.status == "exited":
        assert verdict(Stops({container.id: True})) == []
        assert verdict(Stops({})) == [], "no source remembers"
        assert verdict(Stops({container.id: False}, frozenset({container.id}))) == []


@pytest.mark.parametrize(
    ("command", "entrypoint", "foreground"),
    [
        (["nginx"], None, "nginx -g 'daemon off;'"),
        (["/usr/sbin/php-fpm", "-y", "/a"], None, "/usr/sbin/php-fpm -y /a -F"),
        (["httpd", "-p", "8080"], None, "httpd -p 8080 -f"),
        (["httpd"], None, "httpd -D FOREGROUND"),
        (["nginx"], ["/entry.sh"], None),
        (["serve"], None, None),
        ([], None, None),
    ],
)
def test_a_known_server_is_kept_in_the_foreground(
    command: list[str], entrypoint: list[str] | None, foreground: str | None
):
    path, *args = command or [""]
    container = made(
        "exited", HostConfig=PORTS, Config={"Entrypoint": entrypoint}, Path=path, Args=args
    )
    stops = Stops({container.id: False})
    result = judge(
        "container.daemonized", containers=of(container), clock=CLOCK, options=OPTIONS, stops=stops
    )
    assert [finding.variables.get("foreground") for finding in result.findings] == [foreground]


def lost(name: str, *, code: int = 255, started: float = 9000, finished: float = 298) -> Container:
    return made(
        "exited", code=code, name=name, State={"StartedAt": at(started), "FinishedAt": at(finished)}
    )


def power_loss(*containers: Container, engine_age: float = 300) -> Result:
    booted = Clock(NOW, NOW - 320)
    engine = Process(pid=50, comm="dockerd", start=320 - engine_age)
    processes = Processes((engine,))
    return judge(
        "container.lost-with-host",
        containers=of(*containers),
        clock=booted,
        options=OPTIONS,
        processes=processes,
    )


@pytest.mark.parametrize(
    ("name", "containers", "expected"),
    [
        ("two were lost", [lost("a"), lost("b")], [("critical", "host")]),
        (
            "with exit code 0, as from engine 24 on",
            [lost("a", code=0), lost("b", code=0)],
            [("critical", "host")],
        ),
        ("one alone", [lost("a")], []),
        ("ended before the engine began", [lost("a", finished=400), lost("b", finished=400)], []),
        ("began after it", [lost("a", started=299), lost("b", started=299)], []),
        ("ended much later", [lost("a", finished=60), lost("b", finished=60)], []),
        ("failed with an error of their own", [lost("a", code=1), lost("b", code=1)], []),
    ],
)
def test_lost_with_the_host(
    name: str, containers: list[Container], expected: list[tuple[str, str]]
):
    result = power_loss(*containers)
    assert rows(result) == expected
    assert all(
        {subject.name for subject in finding.touches} == {"a", "b"} for finding in result.findings
    )


@pytest.mark.parametrize(
    ("status", "state", "hung", "found"),
    [
        ("running", "T", False, 1),
        ("running", "S", False, 0),
        ("running", "t", False, 0),
        ("paused", "T", False, 0),
        ("running", "D", False, 0),
        ("running", "D", True, 1),
    ],
)
def test_a_first_process_that_does_not_run(status: str, state: str, hung: bool, found: int):
    container = made(status)
    lines = (
        (Record(NOW - 60, "INFO: task app:100 blocked for more than 120 seconds."),) if hung else ()
    )
    result = judge(
        "container.first-process-stopped",
        containers=of(container),
        processes=Processes((Process(pid=100, comm="app", state=state),)),
        kernel_log=KernelLog(lines),
    )
    assert len(result.findings) == found


@pytest.mark.parametrize(
    ("kind", "container", "severity"),
    [
        ("socket", made("running", age=9000), "warning"),
        ("folder", made("running", age=9000), "advice"),
        ("folder", made("running", age=9000, State={"Health": {"Status": "unhealthy"}}), "warning"),
        ("folder", made("running", age=5, RestartCount=3), "warning"),
    ],
)
def test_a_mount_that_its_user_cannot_use(kind: str, container: Container, severity: str):
    source = PathStatus(type=kind, mode=0o660 if kind == "socket" else 0o755)
    denied = DeniedMount(
        container, Mount(source="/s", destination="/d"), source, HostUser("1000", "1000:1000", 1000)
    )
    result = judge("container.mount-unwritable", mount_access=MountAccess((denied,)), clock=CLOCK)
    assert rows(result) == [(severity, "web")]


ANONYMOUS = {
    "Type": "volume",
    "Name": "a" * 64,
    "Source": f"/v/{'a' * 64}",
    "Destination": "/data/db",
    "RW": True,
}
OWN = {"Type": "bind", "Source": "/srv/data", "Destination": "/data", "RW": True}


@pytest.mark.parametrize(
    ("name", "own", "declared", "found"),
    [
        ("one level above", OWN, ["/data/db"], 1),
        ("two levels above", {**OWN, "Destination": "/"}, ["/data/db"], 0),
        ("beside it", {**OWN, "Destination": "/data2"}, ["/data/db"], 0),
        ("the user asked for it", OWN, [], 0),
        ("read-only", {**OWN, "RW": False}, ["/data/db"], 0),
    ],
)
def test_data_beside_its_mount(name: str, own: dict[str, Any], declared: list[str], found: int):
    container = made("running", Mounts=[own, ANONYMOUS])
    host = Made(
        {"api.image": {"Id": "sha256:1", "Config": {"Volumes": {path: {} for path in declared}}}}
    )
    split = split_mounts(host, of(container))
    assert len(split.items) == found
    assert len(judge("container.data-outside-mount", split_mounts=split).findings) == found


def test_a_split_mount_names_the_volume():
    container = made("running")
    pair = SplitMount(
        container,
        Mount(source="/srv", destination="/data"),
        Mount(name="a" * 64, destination="/data/db"),
    )
    (finding,) = judge("container.data-outside-mount", split_mounts=SplitMounts((pair,))).findings
    assert finding.variables["volume"] == "a" * 64


KERNEL = {
    "traps: mongod[4711] trap invalid opcode ip:55d sp:7ffc error:0 in mongod[55d+1]": (
        "mongod",
        "trap",
        True,
    ),
    "app[4711]: segfault at 0 ip 00005 sp 00007 error 4 in app[5+1]": ("app", "trap", False),
    "app[4711] vsyscall attempted with vsyscall=none ip:ffff": ("app", "trap", False),
    'audit: type=1326 audit(1:2): auid=1 uid=0 gid=0 ses=1 pid=4711 comm="app" exe="/app" sig=31 arch=c000003e syscall=435': (
        "app",
        "seccomp",
        False,
    ),
    'audit: type=1400 apparmor="DENIED" operation="signal" profile="docker-default" pid=4711 comm="runc" requested': (
        "runc",
        "apparmor",
        False,
    ),
    'audit: type=1400 audit(1:2): avc:  denied  { write } for  pid=4711 comm="app" name="x"': (
        "app",
        "selinux",
        False,
    ),
    "docker0: port 1(veth1) entered disabled state": None,
}


@pytest.mark.parametrize("line", KERNEL)
def test_what_the_kernel_says_of_a_program(line: str):
    found = [
        (fault.comm, fault.kind, fault.is_invalid_opcode)
        for fault in parsed(KernelLog((Record(NOW, line),)))
    ]
    assert found == ([KERNEL[line]] if KERNEL[line] else [])


def test_a_line_of_the_kernel_belongs_to_the_program_and_the_second():
    crashed = made("exited", code=139, Path="/usr/bin/app")
    other = made("exited", code=139, name="other", Path="/bin/server")
    segfault = "app[7]: segfault at 0 ip 00005 sp 00007 error 4 in app[5+1]"
    near = program_faults(of(crashed, other), KernelLog((Record(NOW - 60, segfault),)))
    assert set(near.by_id) == {crashed.id}
    assert not program_faults(of(crashed), KernelLog((Record(NOW - 600, segfault),))).by_id
    unnamed = "traps: worker[9] trap invalid opcode ip:1 sp:2 error:0"
    assert not program_faults(of(crashed, other), KernelLog((Record(NOW - 60, unnamed),))).by_id, (
        "two ended then"
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/bin/sh", True), ("/docker-entrypoint.sh", True), ("/usr/bin/node", False)],
)
def test_the_fault_of_another_program_is_not_this_container_s(path: str, expected: bool):
    crashed = made("exited", code=139, Path=path)
    segfault = "wget[21462]: segfault at 0 ip 00005 sp 00007 error 6 in busybox[5+1]"
    found = program_faults(of(crashed), KernelLog((Record(NOW - 60, segfault),)))
    assert (crashed.id in found.by_id) is expected


def test_exit_codes_are_named():
    assert described(139) == "139 (SIGSEGV, segmentation fault)"
    assert described(132) == "132 (SIGILL, illegal instruction)"
    assert described(1) == "1"
    assert signal_of(143) == "SIGTERM"
    assert signal_of(255) == ""
    assert is_fault(134)
    assert not is_fault(137)


REFUSED_FOLDER = RefusedFile(
    made("exited", code=1),
    "/data",
    "/srv/data",
    PathStatus("folder", mode=0o777, uid=1000, gid=1000),
    0o700,
    "1000:1000",
    "FATAL",
)


@pytest.mark.parametrize(
    ("refused", "expected", "variables"),
    [
        (REFUSED_FOLDER, FOUND, {"source": "/srv/data", "mode": "700"}),
        (
            replace(REFUSED_FOLDER, mode=0, owner="999:999"),
            FOUND,
            {"source": "/srv/data", "owner": "999:999"},
        ),
        (
            replace(REFUSED_FOLDER, line="", mode=0o600),
            [("warning", "web")],
            {"source": "/srv/data", "mode": "600"},
        ),
    ],
    ids=["mode", "owner", "known by its name"],
)
def test_a_file_that_is_refused(
    refused: RefusedFile, expected: list[tuple[str, str]], variables: dict[str, str]
):
    result = judge(
        "container.file-mode-refused", clock=CLOCK, refused_files=RefusedFiles((refused,))
    )
    assert rows(result) == expected
    assert [finding.variables for finding in result.findings] == [{"container": "web", **variables}]


def test_a_program_that_runs_in_spite_of_what_it_said_is_left_alone():
    steady = replace(REFUSED_FOLDER, container=made("running", age=7200))
    result = judge(
        "container.file-mode-refused", clock=CLOCK, refused_files=RefusedFiles((steady,))
    )
    assert rows(result) == []


DATA_MOUNT = {"Type": "bind", "Source": "/srv/data", "Destination": "/data", "RW": True}
ACME_MOUNT = {"Type": "bind", "Source": "/srv/acme.json", "Destination": "/acme.json", "RW": True}
BEATS_MOUNT = {
    "Type": "bind",
    "Source": "/srv/f.yml",
    "Destination": "/usr/share/filebeat/filebeat.yml",
    "RW": True,
}
BEATS = 'config file ("filebeat.yml") must be owned by the user identifier (uid=1000) or root'


@pytest.mark.parametrize(
    ("line", "mount", "status", "expected"),
    [
        (
            'FATAL:  data directory "/data" has invalid permissions',
            DATA_MOUNT,
            (0o755, 1000),
            ["/data"],
        ),
        ('FATAL:  data directory "/data" has invalid permissions', DATA_MOUNT, (0o700, 1000), []),
        ('FATAL:  data directory "/data" has wrong ownership', DATA_MOUNT, (0o700, 0), ["/data"]),
        ('FATAL:  data directory "/data" has wrong ownership', DATA_MOUNT, (0o700, 1000), []),
        (BEATS, BEATS_MOUNT, (0o644, 33), ["/usr/share/filebeat/filebeat.yml"]),
        ("ready", DATA_MOUNT, (0o777, 0), []),
    ],
)
def test_what_the_host_says_of_a_refused_file(
    line: str, mount: dict[str, Any], status: tuple[int, int], expected: list[str]
):
    container, log_tails = failed(line, Mounts=[mount], Config={"User": "1000:1000"})
    mode, uid = status
    answer = {mount["Source"]: {"type": "folder", "mode": mode, "uid": uid, "gid": 0}}
    evidence = refused_files(Made({"file.stats": answer}), of(container), log_tails, None)
    assert isinstance(evidence, RefusedFiles)
    assert [item.inside for item in evidence.items] == expected


@pytest.mark.parametrize(("mode", "expected"), [(0o644, 1), (0o600, 0)])
def test_an_open_acme_file_of_a_running_container(mode: int, expected: int):
    container = made("running", Mounts=[ACME_MOUNT])
    answer = {"/srv/acme.json": {"type": "file", "mode": mode, "uid": 0, "gid": 0}}
    evidence = refused_files(Made({"file.stats": answer}), of(container), LogTails({}, {}), None)
    assert isinstance(evidence, RefusedFiles)
    assert len(evidence.items) == expected


@pytest.mark.parametrize(
    ("env", "line", "expected"),
    [
        (["DB=shop\r"], 'database "shop" does not exist', FOUND),
        (['HOST="db"'], 'could not translate host name ""db"" to address', FOUND),
        (["URL='redis://cache'"], "invalid URL: ''redis://cache''", FOUND),
        (['NAME="db"'], 'looking for "db"', []),
        (['JSON="[1]"'], "something else failed", []),
        (["DB=shop"], 'database "shop" does not exist', []),
        (["DB=", "EMPTY"], 'database "" does not exist', []),
    ],
    ids=[
        "carriage return",
        "quotes",
        "single quotes",
        "the log's own quotes",
        "not in the log",
        "plain",
        "empty",
    ],
)
def test_a_variable_with_marks_of_its_file(
    env: list[str], line: str, expected: list[tuple[str, str]]
):
    container, log_tails = failed(line, Config={"Env": env})
    result = judge(
        "container.variable-malformed", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == expected


def test_a_running_container_may_have_any_variable():
    container = made("running", age=7200, Config={"Env": ["A=b\r"]})
    result = judge(
        "container.variable-malformed",
        containers=of(container),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
    )
    assert rows(result) == []


CLOSING = ComputingProcess(
    made("running"),
    Process(4711, comm="erl_child_setup", state="R"),
    90.0,
    93.0,
    0.1,
    1_073_741_816,
)
COMPUTING: dict[str, tuple[ComputingProcess, list[tuple[str, str]]]] = {
    "closes a billion descriptors": (CLOSING, [("warning", "web")]),
    "an ordinary limit": (replace(CLOSING, limit=1_048_576), []),
    "a moment after its start": (replace(CLOSING, cpu_s=3.0), []),
    "computes in user mode": (replace(CLOSING, system_pct=2.0), []),
    "a busy server that waits for its clients": (replace(CLOSING, sleeps_per_s=4000.0), []),
}


@pytest.mark.parametrize(("computing", "expected"), COMPUTING.values(), ids=COMPUTING.keys())
def test_a_limit_of_open_files_without_end(
    computing: ComputingProcess, expected: list[tuple[str, str]]
):
    result = judge(
        "container.open-files-unbounded", computing_processes=ComputingProcesses((computing,))
    )
    assert rows(result) == expected


STAT = "4711 (erl) child) R 1 1 1 0 -1 4194560 1904 0 0 0 700 9300 0 0 20 0 1 0 16022 14319616 2013"
STATUS = "Name:\terl_child_setup\nState:\tR (running)\nvoluntary_ctxt_switches:\t10\nnonvoluntary_ctxt_switches:\t99\n"


def test_the_figures_of_a_computing_process():
    container = made("running")
    task = Process(4711, comm="erl_child_setup", state="R", container=container.id)
    texts = {"/proc/4711/stat": {"text": STAT}, "/proc/4711/status": {"text": STATUS}}
    limits = {"pid": 4711, "limits": {"Max open files": {"soft": 1_073_741_816, "hard": None}}}
    host = Made({"file.read": lambda question: texts[question.path], "process": limits})
    (computing,) = computing_processes(
        host, of(container), Processes((task, Process(1, state="R")))
    ).items
    assert (computing.cpu_s, computing.system_pct, computing.sleeps_per_s) == (100.0, 93.0, 0.1)
    assert computing.limit == 1_073_741_816


NO_DATABASE = 'psql: error: connection to server at "db" (172.18.0.2), port 5432 failed: FATAL:  database "shop" does not exist'
WRONG = 'error: password authentication failed for user "shop"'


@pytest.mark.parametrize(
    ("line", "server", "env", "expected", "variables"),
    [
        (
            NO_DATABASE,
            {"status": "running"},
            None,
            FOUND,
            {"server": "db", "owner": "postgres", "database": "shop"},
        ),
        (NO_DATABASE, {"status": "exited"}, None, [], {}),
        (
            WRONG,
            {"status": "running"},
            ["DATABASE_URL=postgres://shop@db/shop"],
            FOUND,
            {"server": "db", "user": "shop"},
        ),
        (WRONG, {"status": "running"}, None, [], {}),
    ],
    ids=["named in the line", "the server is down", "named in the configuration", "named nowhere"],
)
def test_a_database_that_refuses(
    line: str,
    server: dict[str, str],
    env: list[str] | None,
    expected: list[tuple[str, str]],
    variables: dict[str, str],
):
    container, log_tails = failed(line, Config={"Env": env}, **ON_SHOP)
    image = {"Config": {"Image": "postgres:16", "ExposedPorts": {"5432/tcp": {}}}}
    database = made(server["status"], name="db", **image, **ON_SHOP)
    result = judge(
        "container.database-refused",
        containers=of(container, database),
        clock=CLOCK,
        log_tails=log_tails,
    )
    assert rows(result) == expected
    assert [finding.variables for finding in result.findings] == [
        {"container": "web", **variables}
    ] * len(expected)


NVML = "OCI runtime create failed: nvidia-container-cli: initialization error: nvml error: driver/library version mismatch"


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [("critical", "web0")]),
        (2, [("critical", "web0"), ("critical", "web1")]),
        (3, [("critical", "docker")]),
    ],
)
def test_one_start_error_of_many_containers_is_one_finding(
    count: int, expected: list[tuple[str, str]]
):
    containers = [
        made("created", code=128, name=f"web{number}", State={"Error": NVML})
        for number in range(count)
    ]
    result = judge("container.device-missing", containers=of(*containers))
    assert rows(result) == expected
    assert all(finding.variables["stale_driver"] == "nvidia" for finding in result.findings)
    assert all("the NVIDIA driver was updated" in finding.summary for finding in result.findings)
