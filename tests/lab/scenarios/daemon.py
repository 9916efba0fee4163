"""Engines that are dead, hung, blind or badly told, on real engines."""

from __future__ import annotations

import signal
import sys

from tests.lab import Box, fault, healthy
from tests.lab.box import LOG
from tests.lab.packages import install
from tests.lab.runner import BASE_CONFIG, healthy_container

DEAD = ["container.*", "daemon.*", "network.*", "firewall.*", "dns.*"]
DAEMON = "daemon:docker"
SYSTEM_CONTAINERD = "--containerd=/run/containerd/containerd.sock"


def _five(box: Box) -> None:
    for number in range(1, 6):
        healthy_container(box, f"shop{number}", 8100 + number)


def _in_time(box: Box) -> None:
    """The report stands within the budget, and the process is gone."""
    run = box.diagnose("all", "--budget", "10")
    assert run.wall < 10.5, run.wall
    assert run.code == 2, run.out


def _kill_engine(box: Box) -> None:
    """End dockerd as a crash does: socket, pid file and containers stay."""
    pid = box.engine_pid
    box.kill(pid)
    box.wait_for(lambda: not box.alive(pid), what="dockerd to end")
    assert not box.ping()


@fault("daemon.not-running", subject=DAEMON, exit_code=2)
def stopped(box: Box) -> None:
    """dockerd was stopped as an init system does it: no socket is left."""
    box.stop_engine()
    assert not box.path("/run/docker.sock").exists()


_WITHOUT_PROGRAM = """
for program in $(command -v dockerd) /usr/bin/dockerd /usr/sbin/dockerd; do
    [ ! -e $program ] || mv $program $program.gone 2>/dev/null || mount --bind /dev/null $program
done
dpkg -r moby-engine
"""
"""A stand-in: the lab's own engine belongs to no package, and its program may be a mount."""


@fault("daemon.not-running", subject=DAEMON, exit_code=2)
def package_removed(box: Box) -> None:
    """The package that holds dockerd was removed; the log of dpkg says so."""
    install(box, "moby-engine", "5:28.5.1-1")
    box.stop_engine()
    box.sh(_WITHOUT_PROGRAM)
    (found,) = box.diagnose("check", "daemon.not-running", "--format", "json").findings
    assert 'its package "moby-engine" was removed from this host' in found["summary"]
    assert found["fix"][0]["command"] == "apt-get install --yes moby-engine"


@fault("daemon.not-running", subject=DAEMON, exit_code=2)
def stopped_by_an_upgrade_of_containerd(box: Box) -> None:
    """systemd stops dockerd together with containerd, when that is upgraded; the log of dpkg names
    the package. No container ran, so that a start interrupts nothing."""
    box.docker("rm", "--force", "web")
    install(box, "containerd.io", "1.7.28-1")
    box.stop_engine()
    (found,) = box.diagnose("check", "daemon.not-running", "--format", "json").findings
    assert "during a package change (containerd.io 1.7.28)" in found["summary"], found["summary"]
    assert found["fix"][0]["risk"] == "safe", found["fix"]


@fault("daemon.not-running", subject=DAEMON, exit_code=2, runs=2)
def killed(box: Box) -> None:
    """dockerd was killed; five containers live on, named from the disk."""
    _five(box)
    _kill_engine(box)
    assert len(box.pids_of("containerd-shim-runc-v2")) == 6
    run = box.diagnose("all")
    assert all(f"shop{number}" in run.out for number in range(1, 6)), run.out
    assert "6 containers (6 running)" in run.out, run.out
    assert box.diagnose("all", "--container=shop1").code == 2, (
        "an engine that is dead is about each of its containers"
    )


@fault("daemon.not-running", subject=DAEMON, exit_code=2)
def swarm_that_live_restore_keeps_down(box: Box) -> None:
    """`live-restore` was switched on for an engine in a swarm, which then does not start; the
    repair takes the key out."""
    box.docker("swarm", "init", "--advertise-addr", "127.0.0.1")
    box.stop_engine()
    box.write("/etc/docker/daemon.json", {**BASE_CONFIG, "live-restore": True})
    pid = box.spawn(["dockerd"], log=LOG)
    box.wait_for(lambda: not box.alive(pid), what="dockerd to give up")
    assert "incompatible with swarm mode" in box.log_tail(), box.log_tail()
    findings = box.diagnose("check", "daemon.not-running", "--format", "json").findings
    assert findings[0]["fix"][0]["command"] == "diagnose repair daemon.not-running | sh -e", (
        findings
    )
    repair = box.diagnose("repair", "daemon.not-running")
    assert repair.code == 0, repair.err
    assert "live-restore" in repair.out, repair.out


@fault("daemon.not-running", subject=DAEMON, exit_code=2)
def socket_removed(box: Box) -> None:
    """The socket's file was removed under a healthy engine, and a folder took its place."""
    box.sh("rm /run/docker.sock && mkdir /run/docker.sock")
    assert box.docker("ps", check=False).returncode != 0
    run = box.diagnose("all")
    assert "a folder has taken the place of its socket" in " ".join(run.out.split()), run.out


@fault("daemon.not-running", subject=DAEMON, exit_code=2, user="nobody")
def killed_seen_by_nobody(box: Box) -> None:
    """dockerd was killed, and who looks may not even touch its socket: the process list tells."""
    _kill_engine(box)


@fault("daemon.hung", subject=DAEMON, exit_code=2, runs=2)
def frozen(box: Box) -> None:
    """dockerd was stopped by a signal."""
    box.kill(box.engine_pid, signal.SIGSTOP)
    done = box.run(
        ["curl", "-sS", "-m", "1", "--unix-socket", "/run/docker.sock", "http://d/_ping"],
        check=False,
        timeout=5,
    )
    assert done.returncode == 28
    _in_time(box)


@fault(
    "daemon.socket-forbidden",
    subject=DAEMON,
    user="nobody",
    exit_code=3,
    first_command=("heals", "root sees everything"),
)
def forbidden(box: Box) -> None:
    """The engine is well, and this user may not use its socket: advice, and no verdict on the
    host."""
    run = box.diagnose("check", "daemon.socket-forbidden", "--format", "json", user="nobody")
    assert [f["id"] for f in run.findings] == ["daemon.socket-forbidden"]


@fault("daemon.socket-forbidden", subject=DAEMON, user="nobody", exit_code=3, engine_started=False)
def group_that_is_younger_than_the_socket(box: Box) -> None:
    """The group docker was made after the engine's start: its members may not use the socket."""
    box.sh("groupdel docker", check=False)
    box.start_engine(config=BASE_CONFIG)
    box.sh("groupadd docker; usermod -aG docker nobody")
    ask = ("check", "daemon.socket-forbidden", "--format", "json")
    (of_root,) = box.diagnose(*ask).findings
    assert "the members of group docker" in of_root["summary"], of_root
    (finding,) = box.diagnose(*ask, user="nobody", groups=["docker"]).findings
    command = finding["fix"][0]["command"]
    assert command.startswith("sudo chgrp docker"), command
    asked = ["curl", "-sS", "--unix-socket", "/run/docker.sock", "http://docker/_ping"]
    assert box.run(asked, user="nobody", groups=["docker"], check=False).returncode != 0
    box.sh(command.replace("sudo ", ""))
    assert box.run(asked, user="nobody", groups=["docker"]).stdout == "OK"
    box.sh("chgrp root /run/docker.sock")


@fault("daemon.socket-forbidden", subject=DAEMON, user="nobody", exit_code=3)
def session_older_than_its_group(box: Box) -> None:
    """A user was added to the group docker and has not logged in since; the command that the report
    offers gives the session the group."""
    box.sh("getent group docker >/dev/null || groupadd docker; usermod -aG docker nobody")
    box.sh("chgrp docker /run/docker.sock; chmod 660 /run/docker.sock")
    run = box.diagnose("check", "daemon.socket-forbidden", "--format", "json", user="nobody")
    command = run.findings[0]["fix"][0]["command"]
    asked = ["curl", "-sS", "--unix-socket", "/run/docker.sock", "http://docker/_ping"]
    assert box.run(asked, user="nobody", check=False).returncode != 0
    in_shell = ["env", "SHELL=/bin/sh", *command.split()]
    said = box.run(in_shell, user="nobody", stdin=" ".join(asked) + "\n", check=False)
    assert said.stdout == "OK", said


@fault("daemon.containerd-hung", subject=DAEMON, exit_code=2)
def containerd_frozen(box: Box) -> None:
    """containerd was stopped by a signal: the engine's lists are served, /info is not."""
    box.kill(box.containerd_pid, signal.SIGSTOP)
    assert box.ping()


def with_system_containerd(box: Box) -> int:
    """An engine beside a containerd of the system's own; returns containerd's pid."""
    pid = box.spawn(["containerd"], log="/var/log/containerd.log")
    box.wait_for(
        lambda: box.path("/run/containerd/containerd.sock").exists(), what="containerd's socket"
    )
    box.start_engine(SYSTEM_CONTAINERD, config=dict(BASE_CONFIG))
    healthy_container(box, "web", 8080)
    return pid


@healthy(engine_started=False, baseline=False)
def containerd_of_the_system(box: Box) -> None:
    """The engine uses a containerd that it did not start."""
    with_system_containerd(box)


@fault("daemon.containerd-down", subject=DAEMON, engine_started=False, baseline=False, exit_code=2)
def containerd_killed(box: Box) -> None:
    """The system's containerd was killed; the engine answers, and nothing can be started."""
    box.kill(with_system_containerd(box))
    assert box.ping()
    said = box.docker("run", "--rm", "bb:1.36", "true", check=False, timeout=8)
    assert said.returncode != 0


@fault("daemon.containerd-down", subject=DAEMON, engine_started=False, baseline=False, exit_code=2)
def containerd_stopped(box: Box) -> None:
    """The system's containerd was stopped as an init system does it."""
    pid = with_system_containerd(box)
    box.kill(pid, signal.SIGTERM)
    box.wait_for(lambda: not box.alive(pid), what="containerd to end")


_SERVER = """
import os, socket, sys, time
kind, path = sys.argv[1:]
server = socket.socket(socket.AF_UNIX); server.bind(path + ".new"); server.listen(50); os.rename(path + ".new", path)
held = []
while True:
    client, _ = server.accept(); held.append(client)
    if kind == "drip":
        import threading
        def drip(c):
            try:
                for byte in b"HTTP/1.1 200 OK" * 100: c.sendall(bytes([byte])); time.sleep(1)
            except OSError: pass
        threading.Thread(target=drip, args=(client,), daemon=True).start()
    if kind == "html" and client.recv(4096):
        client.sendall(b"HTTP/1.1 502 Bad Gateway\\r\\nContent-Length: 13\\r\\n\\r\\n<html></html>")
"""


def _serve(box: Box, kind: str) -> None:
    box.stop_engine()
    box.write("/opt/lab/server.py", _SERVER)
    box.spawn([sys.executable, "-I", "/opt/lab/server.py", kind, "/run/docker.sock"])
    box.wait_for(lambda: box.path("/run/docker.sock").exists(), what="the socket")


@fault("daemon.hung", subject=DAEMON, exit_code=2, runs=2)
def accepts_and_is_silent(box: Box) -> None:
    """Something takes every connection at the socket and never says a word."""
    _serve(box, "silent")
    _in_time(box)


@fault("daemon.hung", subject=DAEMON, exit_code=2, runs=2)
def drips(box: Box) -> None:
    """Something answers a byte a second."""
    _serve(box, "drip")
    _in_time(box)


@fault("daemon.not-running", subject=DAEMON, exit_code=2)
def no_engine_answers(box: Box) -> None:
    """What answers at the socket is not an engine: a proxy whose engine is gone."""
    _serve(box, "html")


@fault(
    "daemon.client-context-dead",
    subject="daemon:docker",
    env={"DOCKER_HOST": "unix:///run/nonsense.sock"},
    exit_code=1,
)
def wrong_address(box: Box) -> None:
    """The engine is well; DOCKER_HOST names a socket that never was."""
    assert box.ping()


@fault(
    "daemon.client-context-dead",
    subject="daemon:docker",
    env={"DOCKER_HOST": "tcp://127.0.0.1:1"},
    exit_code=1,
)
def wrong_port(box: Box) -> None:
    """The engine is well; DOCKER_HOST names a port where nobody listens."""
    assert box.ping()


_PROXY = """
import os, socket, sys, threading
path, real, stuck = sys.argv[1:]
def relay(client):
    held = b""
    while b"\\r\\n\\r\\n" not in held:
        data = client.recv(65536)
        if not data: return
        held += data
    if stuck.encode() in held.split(b"\\r\\n")[0]: threading.Event().wait()
    upstream = socket.socket(socket.AF_UNIX); upstream.connect(real)
    upstream.sendall(held.replace(b"\\r\\n", b"\\r\\nConnection: close\\r\\n", 1))
    while data := upstream.recv(65536): client.sendall(data)
    client.close()
server = socket.socket(socket.AF_UNIX); server.bind(path + ".new"); server.listen(50); os.rename(path + ".new", path)
while True: threading.Thread(target=relay, args=(server.accept()[0],), daemon=True).start()
"""


@fault(
    "daemon.hung",
    subject="container:stuck",
    expect=[("container.entrypoint-missing", "container:broken")],
    env={"DOCKER_HOST": "unix:///run/proxy.sock"},
    exit_code=2,
)
def one_container_hangs(box: Box) -> None:
    """The engine never answers about one container; the others are judged all the same."""
    healthy_container(box, "stuck", 8090)
    box.docker(
        "run", "-d", "--name=broken", "--memory=16m", "--pids-limit=16", "bb:1.36", "/no/such",
        check=False,
    )  # fmt: skip
    box.write("/opt/lab/proxy.py", _PROXY)
    id = box.inspect("stuck")["Id"]
    box.spawn(
        [sys.executable, "-I", "/opt/lab/proxy.py", "/run/proxy.sock", "/run/docker.sock", id]
    )
    box.wait_for(lambda: box.path("/run/proxy.sock").exists(), what="the proxy")


@fault("daemon.hung", subject="container:stuck", exit_code=1)
def shim_stopped(box: Box) -> None:
    """The shim of one container was stopped by a signal; the container works on, and cannot be
    entered."""
    healthy_container(box, "stuck", 8090)
    id = box.inspect("stuck")["Id"]
    shim = int(box.sh(f"pgrep -f '[c]ontainerd-shim.* -id {id}'"))
    box.kill(shim, signal.SIGSTOP)
    assert box.docker("exec", "stuck", "true", check=False, timeout=3).returncode != 0
    assert box.run(["wget", "-qO-", "http://127.0.0.1:8090/"], check=False).returncode == 0
    run = box.diagnose("check", "daemon.hung")
    assert f"kill -CONT {shim}" in run.out, run.out


@fault("daemon.not-running", subject=DAEMON, config={"live-restore": True}, exit_code=2)
def stopped_with_live_restore(box: Box) -> None:
    """dockerd was stopped politely; five containers outlive it, and one that had ended before does
    not."""
    _five(box)
    box.docker("stop", "-t", "0", "web")
    pid = box.engine_pid
    box.kill(pid, signal.SIGTERM)
    box.wait_for(lambda: not box.alive(pid), what="dockerd to stop")
    run = box.diagnose("all")
    assert "still running: shop1, shop2, shop3, shop4, shop5" in " ".join(run.out.split()), run.out
    assert "6 containers (5 running)" in run.out, run.out


@fault("daemon.hung", subject="container:api49", baseline=False, exit_code=2)
def receiver_of_lines_that_takes_none(box: Box) -> None:
    """The only container logs to a fluentd that accepts connections and reads nothing: its stop
    never ends, and the engine says nothing of it any more."""
    deaf = "import socket; s = socket.socket(); s.setsockopt(1, 8, 4096); s.setsockopt(1, 2, 1)\n"
    deaf += "s.bind(('0.0.0.0', 24249)); s.listen(); kept = [s.accept() for _ in range(99)]\n"
    box.spawn(["python3", "-c", deaf])
    line = "0123456789" * 40
    box.wait_for(lambda: ":24249" in box.sh("ss -ltn"), what="the receiver")
    box.docker(
        "run", "-d", "--name=api49", "--memory=64m", "--pids-limit=64", "--stop-timeout=1",
        "--log-driver=fluentd", "--log-opt=fluentd-address=127.0.0.1:24249", "shop:1.4", "sh",
        "-c", f"while :; do echo {line}; done",
    )  # fmt: skip
    box.sh("sleep 8")
    box.spawn(["docker", "stop", "--time=1", "api49"])
    box.wait_for(
        lambda: box.run(["timeout", "2", "docker", "inspect", "api49"], check=False).returncode,
        what="the engine to be silent about it",
    )
    assert "api49" in box.docker("ps", "--all").stdout
    assert "fluentd" in box.diagnose("check", "daemon.hung").out
