"""The checks in checks/container/options/option_missing.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.devices.asked import AskedDevices
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.data.wanted_empty import wanted_empty
from diagnose.evidence.containers.programs.program import Program
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.storage.mounts import Mounted, Mounts
from tests.checks.container.evidence import CLOCK, FOUND, ON_SHOP, container_in, failed_with_log
from tests.hosts import Made
from tests.inspected import bind, of
from tests.judging import judge, rows

FILES = (
    "max file descriptors [4096] for elasticsearch process is too low, increase to at least [65535]"
)

NO_TEMPORARY = "FileNotFoundError: [Errno 2] No usable temporary directory found in ['/tmp', '/']"


@pytest.mark.parametrize(
    ("line", "config", "expected"),
    [
        ("RTNETLINK answers: Operation not permitted", {}, FOUND),
        ("RTNETLINK answers: Operation not permitted", {"CapAdd": ["NET_ADMIN"]}, []),
        ("RTNETLINK answers: Operation not permitted", {"CapAdd": ["CAP_NET_ADMIN"]}, []),
        ("RTNETLINK answers: Operation not permitted", {"Privileged": True}, []),
        (FILES, {}, FOUND),
        (FILES, {"Ulimits": [{"Name": "nofile", "Soft": 4096, "Hard": 4096}]}, FOUND),
        (FILES, {"Ulimits": [{"Name": "nofile", "Soft": 90000, "Hard": 90000}]}, []),
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
        (NO_TEMPORARY, {"ReadonlyRootfs": True}, FOUND),
        (NO_TEMPORARY, {}, []),
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
    container, log_tails = failed_with_log(line, HostConfig=config)
    result = judge(
        "container.option-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == expected


NOT_ASCII = "UnicodeEncodeError: 'ascii' codec can't encode character '\\xe9' in position 1"
CRASHED = "WebDriverException: Message: unknown error: session deleted because of page crash"


@pytest.mark.parametrize(
    ("line", "env", "config", "is_missing"),
    [
        pytest.param(NOT_ASCII, [], {}, True, id="no locale"),
        pytest.param(NOT_ASCII, ["LANG=en_US"], {}, True, id="a locale of another encoding"),
        pytest.param(NOT_ASCII, ["PYTHON_VERSION=3.6.15"], {}, True, id="Python before 3.7"),
        pytest.param(NOT_ASCII, ["LANG=de_DE.utf8"], {}, False, id="UTF-8"),
        pytest.param(NOT_ASCII, ["PYTHONUTF8=1"], {}, False, id="UTF-8 of Python"),
        pytest.param(NOT_ASCII, ["PYTHON_VERSION=3.12.4"], {}, False, id="Python's own default"),
        pytest.param(CRASHED, [], {"ShmSize": 64 << 20}, True, id="the usual /dev/shm"),
        pytest.param(CRASHED, [], {"ShmSize": 1 << 30}, False, id="a larger /dev/shm"),
        pytest.param(
            CRASHED, [], {"ShmSize": 64 << 20, "IpcMode": "host"}, False, id="the host's /dev/shm"
        ),
    ],
)
def test_a_locale_and_shared_memory(
    line: str, env: list[str], config: dict[str, Any], is_missing: bool
):
    container, log_tails = failed_with_log(line, HostConfig=config, Config={"Env": env})
    result = judge(
        "container.option-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == [("critical", "web")] * is_missing


DENIED = "preinit: fatal: /run belongs to uid 0 instead of 999 and we lack the privileges to fix it"


@pytest.mark.parametrize(
    ("line", "config", "user", "option"),
    [
        pytest.param(
            'nginx: mkdir() "/var/lib/nginx/body" failed (30: Read-only file system)',
            {"ReadonlyRootfs": True},
            "",
            "--tmpfs=/var/lib/nginx",
            id="the folder of what root cannot write",
        ),
        pytest.param(
            "mkdir: can't create directory '/var/cache/x': Read-only file system",
            {"ReadonlyRootfs": True},
            "33:34",
            "--tmpfs=/var/cache:uid=33,gid=34",
            id="the folder of what a user cannot write",
        ),
        pytest.param(
            DENIED,
            {"Tmpfs": {"/run": "exec"}},
            "999:999",
            "--tmpfs=/run:exec,uid=999,gid=999",
            id="a tmpfs of root",
        ),
        pytest.param(
            "mkdir: can't create directory '/run/app/tmp': Permission denied",
            {"Tmpfs": {"/run": "exec", "/run/app": "size=1m"}},
            "999:999",
            "--tmpfs=/run/app:size=1m,uid=999,gid=999",
            id="a tmpfs of root inside another one",
        ),
        pytest.param(DENIED, {"Tmpfs": {"/run": "uid=999"}}, "999:999", "", id="its own tmpfs"),
        pytest.param(DENIED, {"Tmpfs": {"/run": "mode=1777"}}, "999:999", "", id="a tmpfs for all"),
        pytest.param(DENIED, {"Tmpfs": {"/run": "exec"}}, "", "", id="root's tmpfs for root"),
        pytest.param(DENIED, {"Tmpfs": {"/cache": ""}}, "999:999", "", id="another tmpfs"),
        pytest.param(
            "ulimit: max locked memory: cannot modify limit: Operation not permitted",
            {"Ulimits": [{"Name": "memlock", "Hard": 65536, "Soft": 65536}]},
            "",
            "--ulimit=memlock=-1:-1",
            id="a low limit",
        ),
        pytest.param(
            "ulimit: max locked memory: cannot modify limit: Operation not permitted",
            {"Ulimits": [{"Name": "memlock", "Hard": -1, "Soft": -1}]},
            "",
            "",
            id="no limit",
        ),
    ],
)
def test_the_option_that_heals(line: str, config: dict[str, Any], user: str, option: str):
    container, log_tails = failed_with_log(line, HostConfig=config, Config={"User": user})
    result = judge(
        "container.option-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert [finding.variables["option"] for finding in result.findings] == [option] * bool(option)


def test_the_sandbox_of_a_browser():
    line = "[0412/122008.866:FATAL:zygote_host_impl_linux.cc(117)] No usable sandbox! Update"
    for given, expected in (([], FOUND), (["seccomp=/etc/browser.json"], [])):
        container, log_tails = failed_with_log(line, HostConfig={"SecurityOpt": given})
        result = judge(
            "container.option-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
        )
        assert rows(result) == expected


def test_a_running_container_whose_program_was_given_up():
    container = container_in("running", age=3600, HostConfig={"ReadonlyRootfs": True})
    tail = LogTail(('nginx: mkdir() "/var/lib/nginx/body" failed (30: Read-only file system)',))
    for inside, expected in ((frozenset({container.id}), FOUND), (frozenset[str](), [])):
        result = judge(
            "container.option-missing",
            containers=of(container),
            clock=CLOCK,
            log_tails=LogTails({container.id: tail}, {}, inside=inside),
        )
        assert rows(result) == expected


def test_a_device_that_the_host_does_not_have_is_no_option():
    container, log_tails = failed_with_log(
        "Error: No such file or directory, cannot open /dev/ttyACM0"
    )
    for missing, expected in (({}, FOUND), ({"/dev/ttyACM0": ()}, [])):
        result = judge(
            "container.option-missing",
            containers=of(container),
            clock=CLOCK,
            log_tails=log_tails,
            asked_devices=AskedDevices(missing),
        )
        assert rows(result) == expected


ZONES = {
    "known to the host": (frozenset({"Europe/Berlin"}), {}, FOUND),
    "misspelt, or unknown to the host": (frozenset[str](), {}, []),
    "mounted already": (
        frozenset({"Europe/Berlin"}),
        {"Mounts": [{"Type": "bind", "Destination": "/usr/share/zoneinfo"}]},
        [],
    ),
}


@pytest.mark.parametrize(("zones", "parts", "expected"), ZONES.values(), ids=ZONES)
def test_an_image_without_time_zones(
    zones: frozenset[str], parts: dict[str, Any], expected: list[tuple[str, str]]
):
    container, log_tails = failed_with_log("panic: unknown time zone Europe/Berlin", **parts)
    result = judge(
        "container.option-missing",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        asked_devices=AskedDevices(zones=zones),
    )
    assert rows(result) == expected


LOW_PORT = "dnsmasq: failed to create listening socket for port 53: Permission denied"
START = "net.ipv4.ip_unprivileged_port_start"
LOW_PORTS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a user, and the host's own setting": ({"Config": {"User": "1000"}}, FOUND),
    "a user, and another setting": (
        {"Config": {"User": "1000"}, "HostConfig": {"Sysctls": {START: "1024"}}},
        FOUND,
    ),
    "a user who may": ({"Config": {"User": "1000"}, "HostConfig": {"Sysctls": {START: "0"}}}, []),
    "the host's network": ({"Config": {"User": "1000"}, "HostConfig": {"NetworkMode": "host"}}, []),
    "root": ({"Config": {"User": "root"}}, []),
}


LOW_PORT_LINES = (
    LOW_PORT,
    "2026/11/28 23:35:58 [emerg] 1#1: bind() to 0.0.0.0:80 failed (13: Permission denied)",
    "listen tcp :443: bind: permission denied",
    "Error: listen EACCES: permission denied 0.0.0.0:80",
)


@pytest.mark.parametrize("line", LOW_PORT_LINES)
@pytest.mark.parametrize(("parts", "expected"), LOW_PORTS.values(), ids=LOW_PORTS)
def test_a_port_below_1024(
    line: str, parts: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    container, log_tails = failed_with_log(line, **parts)
    result = judge(
        "container.option-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == expected


def test_a_refused_socket_without_a_port_says_nothing_of_ports() -> None:
    line = "java.net.SocketException: Permission denied"
    container, log_tails = failed_with_log(line, Config={"User": "1000"})
    result = judge(
        "container.option-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == []


_NOT_EMPTY = 'initdb: error: directory "/pgdata" exists but is not empty'


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([".DS_Store"], '/srv/pg on the host holds ".DS_Store"'),
        (["lost+found"], '/srv/pg on the host holds "lost+found"'),
        (["pgdata"], '/srv/pg on the host holds "pgdata"'),
        (["base", "global", "pg_wal"], None),
        ([], "holds something else"),
    ],
)
def test_a_folder_that_has_to_be_empty_is_named_with_what_it_holds(
    names: list[str], said: str | None
) -> None:
    """No other database is begun beside one that is there."""
    mount = bind("/srv/pg", Destination="/pgdata")
    container, log_tails = failed_with_log(_NOT_EMPTY, **mount)
    entries = [{"name": name, "type": "file"} for name in names]
    full = wanted_empty(Made({"file.list": {"entries": entries}}), of(container), log_tails)
    found = judge(
        "container.option-missing",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        wanted_empty=full,
    )
    assert [said is not None and said in finding.summary for finding in found.findings] == [
        True
    ] * (said is not None)


NO_ENGINE = (
    "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon"
    " running?"
)
SOCKET = "--volume=/var/run/docker.sock:/var/run/docker.sock"
TLS = {"Env": ["DOCKER_TLS_CERTDIR=/certs"]}
ALIASED = {"Networks": {"shop": {"IPAddress": "172.18.0.3", "Aliases": ["docker"]}}}
ENGINES: dict[str, tuple[dict[str, Any], str]] = {
    "without TLS": ({"Config": {"Image": "docker:27-dind"}}, "tcp://job-engine:2375"),
    "with TLS": ({"Config": {"Image": "docker:dind", **TLS}}, "tcp://job-engine:2376"),
    "by its usual alias": (
        {"Config": {"Image": "lab.test/dind:1"}, "NetworkSettings": ALIASED},
        "tcp://docker:2375",
    ),
    "of another image": ({"Config": {"Image": "blinding:1"}}, ""),
    "on another network": (
        {"Config": {"Image": "docker:dind"}, "NetworkSettings": {"Networks": {"ci": {}}}},
        "",
    ),
}


@pytest.mark.parametrize(("parts", "address"), ENGINES.values(), ids=ENGINES)
def test_the_engine_of_a_job_stands_beside_it(parts: dict[str, Any], address: str) -> None:
    job, log_tails = failed_with_log(NO_ENGINE, **ON_SHOP)
    named = {"HostConfig": {"NetworkMode": "shop"}}
    engine = container_in("running", name="job-engine", **(ON_SHOP | named | parts))
    result = judge(
        "container.option-missing", containers=of(job, engine), clock=CLOCK, log_tails=log_tails
    )
    (finding,) = result.findings
    assert finding.variables["option"] == (f"--env=DOCKER_HOST={address}" if address else SOCKET)


ROOT_DENIED = "cat: can't open '/app/conf/settings.ini': Permission denied"
DROPPED = {"HostConfig": {"CapDrop": ["ALL"]}}
POWERLESS: dict[str, tuple[str, dict[str, Any], list[tuple[str, str]]]] = {
    "all rights dropped": (ROOT_DENIED, DROPPED, FOUND),
    "this right dropped": (ROOT_DENIED, {"HostConfig": {"CapDrop": ["DAC_OVERRIDE"]}}, FOUND),
    "another one": (ROOT_DENIED, {"HostConfig": {"CapDrop": ["NET_RAW"]}}, []),
    "given back": (
        ROOT_DENIED,
        {"HostConfig": {"CapDrop": ["ALL"], "CapAdd": ["DAC_OVERRIDE"]}},
        [],
    ),
    "another user": (ROOT_DENIED, {**DROPPED, "Config": {"User": "1000"}}, []),
    "what the kernel does not permit": (
        "chmod: /app/conf/settings.ini: Operation not permitted",
        DROPPED,
        [],
    ),
}


@pytest.mark.parametrize(("line", "parts", "expected"), POWERLESS.values(), ids=POWERLESS)
def test_root_that_is_bound_by_owners_and_modes(
    line: str, parts: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    container, log_tails = failed_with_log(line, **{"Config": {"User": "root"}, **parts})
    result = judge(
        "container.option-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == expected
    assert [finding.variables["option"] for finding in result.findings] == [
        "--cap-add=DAC_OVERRIDE" for _ in expected
    ]


SCRIPT_DENIED = "sh: /scripts/run.sh: Permission denied"
EXECUTED = {
    "where nothing may be executed": (False, "rw,noexec", []),
    "without an x bit": (True, "rw", []),
    "of another user": (False, "rw", FOUND),
}


@pytest.mark.parametrize(("lacks_bit", "options", "expected"), EXECUTED.values(), ids=EXECUTED)
def test_a_program_that_nobody_can_execute(
    lacks_bit: bool, options: str, expected: list[tuple[str, str]]
) -> None:
    scripts = bind("/mnt/scripts", Destination="/scripts")
    parts = {"Config": {"User": "root"}, **DROPPED, **scripts}
    container, log_tails = failed_with_log(SCRIPT_DENIED, **parts)
    mode = 0o644 if lacks_bit else 0o755
    script = Program("/scripts/run.sh", "permission denied", SCRIPT_DENIED, mode=mode)
    result = judge(
        "container.option-missing",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        programs=Programs({container.id: script}),
        mounts=Mounts((Mounted("/mnt/scripts", options=options),)),
    )
    assert rows(result) == expected


PRIVATE = "Error: DNS lookup 172.18.0.2(family:4, host:n8n) is not allowed. Because, It is private IP address."


@pytest.mark.parametrize(
    ("image", "is_offered"),
    [("onlyoffice/documentserver:8.1", True), ("nocodb/nocodb:latest", False)],
)
def test_a_variable_is_given_only_to_an_image_that_reads_it(image: str, is_offered: bool) -> None:
    container, log_tails = failed_with_log(PRIVATE, Config={"Image": image})
    result = judge(
        "container.option-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert bool(result.findings) is is_offered
