"""The check daemon.not-running: checks/daemon/not_running.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.installed.engine_upgrades import ChangesWhileDown, changes_while_down
from diagnose.evidence.engine.starting.path_states import FileState
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.machine.package_log import ChangedPackage
from diagnose.evidence.machine.processes import Process
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.model import Finding, Severity, Unavailable
from tests.checks.daemon.dead_engines import UP
from tests.checks.daemon.evidence import (
    ID,
    NAMED,
    NOTHING,
    ROOT,
    SILENT,
    SOCKET,
    daemon,
    engine,
    log,
    only_finding,
)
from tests.hosts import Made
from tests.judging import judge

HUNG_UP = Unavailable("refused", "the connection was closed without an answer")


DENIED = Unavailable("forbidden", "HTTP 403: authorization denied by plugin opa")


SHIM = Process(7, comm="containerd-shim")


LISTENS = 'time="2026-01-02T03:04:06Z" level=info msg="API listen on /var/run/docker.sock"'


FOLDER = FileState("folder", 0o40755)


def not_running(
    engine: Daemon, words: Any = NOTHING, known: Any = NOTHING, kernel: Any = NOTHING
) -> tuple[Finding, ...]:
    return judge(
        "daemon.not-running", daemon=engine, containers=known, log=words, root=ROOT, kernel=kernel
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
        == "dockerd is not running: no space left on device; still running: cdcdcdcdcdcd, web"
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


SERVED = {
    "another one": (["dockerd", "-H", "unix:///run/docker.sock"], "missing", "/run/docker.sock"),
    "another one, in one word": (
        ["dockerd", "--host=unix:///srv/d.sock"],
        "missing",
        "/srv/d.sock",
    ),
    "both": (
        ["dockerd", "-H", "unix:///run/docker.sock", "-H", "unix:///var/run/docker.sock"],
        "missing",
        "",
    ),
    "one that systemd hands over": (
        ["dockerd", "-H", "fd://", "-H", "unix:///a.sock"],
        "missing",
        "",
    ),
    "its default": (["dockerd"], "missing", ""),
    "another one, and the asked one is there": (
        ["dockerd", "-H", "unix:///run/docker.sock"],
        "refused",
        "",
    ),
}


@pytest.mark.parametrize(("cmdline", "silence", "served"), SERVED.values(), ids=SERVED)
def test_an_engine_that_serves_another_socket(
    cmdline: list[str], silence: Any, served: str
) -> None:
    process = replace(engine(), cmdline=tuple(cmdline))
    one = daemon(silence=Unavailable(silence, ""), process=process, age=5000.0)
    (finding,) = not_running(one, log(UP, LISTENS))
    assert (f"serves {served}, but clients ask" in finding.summary) == bool(served)
    is_of_run = served == "/run/docker.sock"
    assert finding.variables.get("served", "") == ("" if is_of_run else served)
    assert ("run_socket" in finding.variables) == is_of_run
    assert ("idle" in finding.variables) != bool(served)


def test_the_kernel_killed_it() -> None:
    kernel = KernelLog(
        (Record(1.0, "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=dockerd,pid=69,uid=0"),
         Record(1.0, "Out of memory: Killed process 69 (dockerd) total-vm:1kB, anon-rss:9kB, file-rss:0kB"))
    )  # fmt: skip
    (finding,) = not_running(daemon(), kernel=kernel)
    assert finding.evidence["kernel log"] == "out of memory: killed process 69 (dockerd)"
    assert (
        finding.summary
        == "dockerd is not running: the kernel killed it for memory; no container is running"
    )
    (later,) = not_running(daemon(), log(UP, LISTENS), kernel=kernel)
    assert "kernel log" not in later.evidence


LIMITED = {
    "of its unit": ("/system.slice/docker.service", "capped", "docker.service"),
    "of a slice": ("/engines.slice", "capped", "engines.slice"),
    "of a group without a unit": ("/docker-daemon", "capped_group", "/docker-daemon"),
}


@pytest.mark.parametrize(("group", "variable", "value"), LIMITED.values(), ids=LIMITED)
def test_the_kernel_killed_it_at_the_limit_of_its_group(
    group: str, variable: str, value: str
) -> None:
    kernel = KernelLog(
        (Record(1.0, "memory: usage 92160kB, limit 92160kB, failcnt 300"),
         Record(1.0, f"oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg={group},task_memcg={group},task=dockerd,pid=69,uid=0"),
         Record(1.0, "Memory cgroup out of memory: Killed process 69 (dockerd) total-vm:1kB, anon-rss:9kB, file-rss:0kB"))
    )  # fmt: skip
    (finding,) = not_running(daemon(), kernel=kernel)
    assert (
        f"the control group {group}, in which it ran, has a memory limit of 90.0 MiB"
        in finding.summary
    )
    assert finding.variables[variable] == value


def test_a_log_of_an_earlier_boot_tells_nothing_of_this_end() -> None:
    old = replace(log(UP, LISTENS), mtime=1.7e9)
    finding = only_finding(
        judge(
            "daemon.not-running", daemon=daemon(), log=old, root=ROOT, clock=Clock(1.8e9, 1.75e9)
        ).findings
    )
    assert finding.summary == "dockerd is not running; no container is running"
    assert (
        finding.evidence["the engine's log"]
        == "/var/log/docker.log is from before this host's boot"
    )


DPKG = """\
2026-01-02 03:04:05 install docker-ce:amd64 <none> 5:28.5.1-1
2026-01-02 03:04:06 upgrade containerd.io:amd64 1.7.27-1 1.7.28-1
2026-01-02 03:05:05 remove docker-ce:amd64 5:28.5.1-1 <none>
"""


@pytest.mark.parametrize(
    ("program", "text", "package"),
    [
        ("", DPKG, "docker-ce"),
        ("/usr/bin/dockerd", DPKG, ""),
        ("", f"{DPKG}2026-01-02 03:06:05 install docker-ce:amd64 5:28.5.1-1 5:28.5.2-1\n", ""),
        ("", DPKG.replace("docker-ce", "cowsay"), ""),
    ],
)
def test_a_package_that_was_removed(program: str, text: str, package: str) -> None:
    dead = daemon(program=program)
    host = Made({"file.read": {"text": text, "mtime": 1.7675e9}})
    changes = changes_while_down(host, dead)
    result = judge("daemon.not-running", daemon=dead, log=log(), root=ROOT, changes=changes)
    finding = only_finding(result.findings)
    assert finding.variables.get("removed_package", "") == package
    assert (f'its package "{package}" was removed' in finding.summary) == bool(package)


@pytest.mark.parametrize(
    ("parts", "words", "summary"),
    [
        pytest.param(
            {"program": ""},
            [],
            "and its program is missing where packages install it",
            id="it was removed",
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
            {}, [UP, LISTENS], "its log ends without a message, as after a kill -9", id="killed"
        ),
        pytest.param(
            {}, [UP], "dockerd is not running; no container is running", id="gone in its start"
        ),
        pytest.param(
            {
                "endpoint": NAMED,
                "socket": SOCKET,
                "others": (Process(9, comm="dockerd"),),
                "shims": {ID: SHIM},
            },
            [],
            "dockerd is not running; no container is running",
            id="beside another one, whose containers are not its own",
        ),
    ],
)
def test_what_is_said_of_a_dead_engine(
    parts: dict[str, Any], words: list[str], summary: str
) -> None:
    held = Listeners((Listener("tcp", "0.0.0.0", 2375, 70, "nginx"),))
    finding = only_finding(
        judge(
            "daemon.not-running", daemon=daemon(**parts), log=log(*words), root=ROOT, listeners=held
        ).findings
    )
    assert summary in finding.summary


STOPPED_AT = 1_767_322_805.0
"""2026-01-02 03:00:05"""


@pytest.mark.parametrize(
    ("name", "before_s", "is_named"),
    [("containerd.io", 6.0, True), ("docker-ce", 90.0, True), ("containerd.io", 600.0, False)],
)
def test_a_package_change_that_stopped_the_engine(
    name: str, before_s: float, is_named: bool
) -> None:
    stopped = log(
        UP, LISTENS, 'time="2026-01-02T03:00:05Z" level=info msg="Processing signal \'terminated\'"'
    )
    changes = ChangesWhileDown(
        (ChangedPackage(STOPPED_AT - before_s, name, "1.7.27-1", "1.7.28-1"),)
    )
    result = judge("daemon.not-running", daemon=daemon(), log=stopped, root=ROOT, changes=changes)
    words = f"during a package change ({name} 1.7.27 to 1.7.28), and nobody started it since"
    assert (words in only_finding(result.findings).summary) == is_named


def test_a_start_interrupts_nothing_where_no_container_runs() -> None:
    (idle,) = not_running(daemon(), log(UP, LISTENS))
    (busy,) = not_running(daemon(shims={ID: SHIM}), log(UP, LISTENS))
    assert "idle" in idle.variables
    assert "again" in busy.variables


@pytest.mark.parametrize(
    ("program", "variable"), [("", "removed"), ("/usr/bin/dockerd", "idle")], ids=["gone", "there"]
)
def test_an_engine_without_its_program_is_not_started_again(program: str, variable: str) -> None:
    stopped = log(UP, LISTENS, "level=info msg=\"Processing signal 'terminated'\"")
    finding = only_finding(
        judge("daemon.not-running", daemon=daemon(program=program), log=stopped, root=ROOT).findings
    )
    assert {"removed", "idle"} & set(finding.variables) == {variable}
    assert ("asked to stop" in finding.summary) == bool(program)
