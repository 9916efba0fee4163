"""Where the engine is, and whether connecting would wake it: real sockets and processes, in
namespaces of their own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from diagnose.live import Live
from diagnose.live.engine.daemon_process import (
    daemon_pids,
    default_socket,
    listening_inode,
    owns_socket,
    pid_file,
    serves,
)
from diagnose.live.tool import CAPABILITIES
from diagnose.model import Failed
from diagnose.questions.run import Options
from tests.questions import question

FIRST = """
import ctypes, json, os, socket, subprocess, sys, time

folder, path, daemon, user = sys.argv[1:5]
ctypes.CDLL(None).prctl(15, b"systemd")
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
listener = socket.socket(socket.AF_UNIX)
os.makedirs(os.path.dirname(path), exist_ok=True)
listener.bind(path)
listener.listen(4)
os.chmod(path, 0o666)
if path != "/run/docker.sock":
    os.symlink(path, "/run/docker.sock")
listener.setblocking(False)
if daemon != "no":
    program = folder + "/dockerd"
    with open(program, "w") as file:
        file.write(f"#!{sys.executable}\\nimport time\\ntime.sleep(30)\\n")
    os.chmod(program, 0o755)
    subprocess.Popen([program, *(["-H", "unix:///other.sock"] if daemon == "other" else [])])
    time.sleep(0.2)
ask = '''
import json
from tests.questions import question
from diagnose.live import Live
live = Live()
place, ping = live.ask(question("locality")), live.ask(question("api.ping"))
print(json.dumps({"place": place, "ping": ping.reason, "detail": ping.detail}))
'''
become = ["setpriv", "--reuid=nobody", "--clear-groups"] if user == "nobody" else []
out = subprocess.run([*become, sys.executable, "-c", ask], capture_output=True, text=True, check=False)
connections = 0
try:
    while True:
        listener.accept()
        connections += 1
except BlockingIOError:
    pass
print(json.dumps({"connections": connections, **json.loads(out.stdout)}) if out.stdout else out.stderr)
"""

ACTIVATED = {
    "sleeping": ("/run/docker.sock", "no", "root", 0),
    "sleeping, seen by nobody": ("/run/docker.sock", "no", "nobody", 0),
    "awake": ("/run/docker.sock", "yes", "root", 2),
    "sleeping beside another engine": ("/run/docker.sock", "other", "root", 0),
    "Podman's socket may be woken": ("/run/podman/podman.sock", "no", "root", 2),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs namespaces of its own")
@pytest.mark.parametrize(
    ("path", "daemon", "user", "connections"), ACTIVATED.values(), ids=ACTIVATED
)
def test_socket_activated_docker_is_not_woken(
    tmp_path: Path, path: str, daemon: str, user: str, connections: int
) -> None:
    """A process named systemd is pid 1 and listens; it counts who connects."""
    script = tmp_path / "first.py"
    script.write_text(FIRST, encoding="ascii")
    own = ["unshare", "--mount", "--pid", "--net", "--fork", "--mount-proc", "--kill-child"]
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    out = subprocess.run(
        [*own, sys.executable, str(script), str(tmp_path), path, daemon, user],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    answer = json.loads(out.stdout)
    assert answer["connections"] == connections
    assert answer["place"]["same_host"] is True
    if connections == 0:
        assert answer["ping"] == "not allowed"
        assert "docker.socket is listening" in answer["detail"]
    else:
        assert answer["ping"] == "timed out"


def locality(url: str) -> Any:
    return Live(Options(host=url)).ask(question("locality"))


def test_socket_served_by_no_engine_is_a_tunnel(tmp_path: Path) -> None:
    path = tmp_path / "tunnel.sock"
    with socket.socket(socket.AF_UNIX) as tunnel:
        tunnel.bind(str(path))
        tunnel.listen(4)
        answer = locality(f"unix://{path}")
    assert answer["same_host"] is False
    assert "tunnel" in answer["why"]
    assert str(os.getpid()) in answer["why"]


ELSEWHERE = {
    "ssh": ("ssh://ops@far.example", "ssh"),
    "TCP to another machine": ("tcp://192.0.2.1:2375", "TCP"),
    "TCP to loopback that no engine serves": ("tcp://127.0.0.1:9", "port 9"),
    "a virtual machine's socket": ("unix:///home/u/.colima/default/docker.sock", "virtual machine"),
}


@pytest.mark.parametrize(("url", "why"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_engine_elsewhere(url: str, why: str) -> None:
    answer = locality(url)
    assert answer["same_host"] is False
    assert why in answer["why"]


def test_socket_of_nobody_is_judged_here(tmp_path: Path) -> None:
    answer = locality(f"unix://{tmp_path}/none.sock")
    assert (answer["same_host"], answer["engine_pid"]) == (True, None)


def test_endpoint_that_cannot_be_is_not_placed() -> None:
    answer = locality("ftp://x")
    assert isinstance(answer, Failed)
    assert answer.reason == "malformed"


def test_listening_sockets_and_their_owners(tmp_path: Path) -> None:
    path = str(tmp_path / "l.sock")
    with socket.socket(socket.AF_UNIX) as stream:
        stream.bind(path)
        assert listening_inode(path) is None
        stream.listen(1)
        inode = listening_inode(path)
        assert inode is not None
        assert owns_socket(os.getpid(), inode) is True
        assert owns_socket(os.getppid(), inode) in (False, None)


def test_daemons_are_found_by_name_and_pid_files_are_not_believed(tmp_path: Path) -> None:
    program = tmp_path / "dockerd"
    shutil.copy("/bin/sleep", program)
    file = tmp_path / "docker.pid"
    with subprocess.Popen([program, "30"]) as daemon:
        file.write_text(f"{daemon.pid}\n", encoding="ascii")
        deadline = time.monotonic() + 5
        while daemon.pid not in daemon_pids() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert daemon.pid in daemon_pids()
        assert pid_file(str(file)) == daemon.pid
        daemon.kill()
        assert daemon.wait() < 0
        assert daemon.pid not in daemon_pids()
    assert pid_file(str(file)) is None
    file.write_text(f"{os.getpid()}", encoding="ascii")
    assert pid_file(str(file)) is None
    file.write_text("rubbish", encoding="ascii")
    assert pid_file(str(file)) is None


SERVES = {
    "the default, unnamed": ([], "/var/run/docker.sock", True),
    "the default by its other name": (
        ["-H", "unix:///run/docker.sock"],
        "/var/run/docker.sock",
        True,
    ),
    "systemd's": (["-H", "fd://"], "/var/run/docker.sock", True),
    "one of two": (["-H=tcp://127.0.0.1:1", "--host=unix:///x.sock"], "/x.sock", True),
    "another socket": (["-Hunix:///x.sock"], "/var/run/docker.sock", False),
    "only a port": (["-H", "tcp://127.0.0.1:1"], "/var/run/docker.sock", False),
    "a socket that it was not told of": ([], "/x.sock", False),
    "rootless: not the system's": (["--rootless"], "/var/run/docker.sock", False),
    "rootless: its user's": (["--rootless"], "/run/user/7/docker.sock", True),
    "rootless: not another user's": (["--rootless"], "/run/user/8/docker.sock", False),
    "rootless, told of another": (
        ["--rootless", "-H", "unix:///x.sock"],
        "/run/user/7/docker.sock",
        False,
    ),
    "rootless through systemd: not the system's": (
        ["--rootless", "-H", "fd://"],
        "/var/run/docker.sock",
        False,
    ),
    "rootless through systemd": (["--rootless", "-H", "fd://"], "/run/user/7/docker.sock", True),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="a daemon of this user would be a rootless one")
@pytest.mark.parametrize(("flags", "path", "expected"), SERVES.values(), ids=SERVES)
def test_which_socket_a_daemon_serves(flags: list[str], path: str, expected: bool) -> None:
    script = [sys.executable, "-c", "import time; print(flush=True); time.sleep(30)"]
    environ = {**os.environ, "XDG_RUNTIME_DIR": "/run/user/7"}
    with subprocess.Popen([*script, *flags], stdout=subprocess.PIPE, env=environ) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        assert serves(daemon.pid, path) is expected
        daemon.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_default_socket_of_another_users_daemon() -> None:
    with subprocess.Popen(["sleep", "30"], user=4242, env={"PATH": os.environ["PATH"]}) as daemon:
        assert default_socket(daemon.pid) == "/run/user/4242/docker.sock"
        daemon.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a user namespace")
def test_default_socket_of_roots_daemon_in_a_user_namespace() -> None:
    say = ["unshare", "--user", "--map-root-user", "sh", "-c", "echo; exec sleep 30"]
    with subprocess.Popen(say, stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"]}) as daemon:
        assert daemon.stdout is not None
        if not daemon.stdout.readline():
            pytest.skip("this kernel lets nobody make user namespaces")
        assert default_socket(daemon.pid) == "/run/user/0/docker.sock"
        daemon.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="a daemon of this user would be a rootless one")
@pytest.mark.parametrize(
    ("flags", "expected"), [(["--rootless"], True), ([], False)], ids=["rootless", "the system's"]
)
def test_pid_file_beside_a_users_socket_names_a_rootless_engine_only(
    tmp_path: Path, flags: list[str], expected: bool
) -> None:
    program = tmp_path / "dockerd"
    program.write_text(
        f"#!{sys.executable}\nimport time\nprint(flush=True)\ntime.sleep(30)\n", encoding="utf-8"
    )
    program.chmod(0o755)
    with subprocess.Popen([program, *flags], stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        (tmp_path / "docker.pid").write_text(str(daemon.pid), encoding="ascii")
        answer = locality(f"unix://{tmp_path}/docker.sock")
        daemon.kill()
    assert answer["engine_pid"] == (daemon.pid if expected else None)


def test_now_and_caller_are_this_process() -> None:
    live = Live()
    now, caller = live.ask(question("now")), live.ask(question("caller"))
    assert not isinstance(now, Failed)
    assert not isinstance(caller, Failed)
    assert now["wall"] == pytest.approx(time.time(), abs=5)
    assert now["boot_wall"] + now["uptime"] == pytest.approx(now["wall"], abs=5)
    assert (caller["uid"], caller["gid"]) == (os.geteuid(), os.getegid())
    assert set(caller["caps"]) <= set(CAPABILITIES)
    assert caller["in_container"] is False or Path("/etc/hosts").is_mount()
    assert len(CAPABILITIES) == 41
