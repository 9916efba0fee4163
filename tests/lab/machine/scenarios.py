"""What is done to the emulated machine, and what the tool must say of it. Plain functions: they run
inside the guest."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Scenario:
    """One way to break the machine.

    expected: (id, subject) that must be found; also: allowed beside it; a healthy one has none.
    cured: the first fix of the first finding is typed too, and must end it.
    """

    name: str
    inject: Callable[[], None]
    mend: Callable[[], None]
    expected: tuple[tuple[str, str], ...]
    also: tuple[str, ...]
    users: tuple[str, ...]
    cured: bool


SCENARIOS: list[Scenario] = []


DAEMON_JSON = Path("/etc/docker/daemon.json")


def scenario(
    name: str,
    *expected: tuple[str, str],
    also: tuple[str, ...] = (),
    users: tuple[str, ...] = ("root",),
    cured: bool = False,
) -> Callable[[Callable[[], Callable[[], None] | None]], None]:
    """Register a function that breaks the machine and gives back what mends it (nothing: removing
    the containers is enough)."""

    def register(function: Callable[[], Callable[[], None] | None]) -> None:
        undo: list[Callable[[], None]] = []

        def inject() -> None:
            mend = function()
            if mend is not None:
                undo.append(mend)

        def mend() -> None:
            for command in undo:
                command()

        SCENARIOS.append(Scenario(name, inject, mend, expected, also, users, cured))

    return register


def tools() -> tuple[
    Callable[..., str], Callable[..., str], Callable[..., object], Callable[..., dict[str, Any]]
]:
    from tests.lab.machine import guest

    return guest.sh, guest.docker, guest.wait_for, guest.inspect


SOUND = (
    "--user", "1000", "--memory", "128m", "--cpus", "1", "--pids-limit", "100", "--read-only",
    "--cap-drop", "ALL",
    "--security-opt", "no-new-privileges", "--restart", "unless-stopped", "--stop-timeout", "1",
    "--init",
    "--log-opt", "max-size=10m", "--log-opt", "max-file=3",
)  # fmt: skip


SERVER = ("httpd", "-f", "-p", "8080")


def start_docker() -> None:
    sh, _, wait_for, _ = tools()
    sh(
        "systemctl unmask docker.service docker.socket; systemctl reset-failed docker.service docker.socket containerd",
        check=False,
    )
    sh("systemctl start docker.socket containerd; systemctl restart docker.service", timeout=240)
    wait_for(
        lambda: subprocess.run(["docker", "ps"], capture_output=True, timeout=60).returncode == 0,
        120,
        "docker",
    )


@scenario("healthy: systemd, resolved, AppArmor, cgroup v2", users=("root", "nobody"))
def _healthy() -> Callable[[], None]:
    _, docker, wait_for, inspect = tools()
    docker("network", "create", "shop")
    docker("run", "-d", "--name", "web", "--network", "shop", *SOUND, "-p", "127.0.0.1:8080:8080", "bb:1",
           *SERVER)  # fmt: skip
    docker("run", "-d", "--name", "db", "--network", "shop", *SOUND, "bb:1", "sleep", "10000")
    wait_for(lambda: inspect("db")["State"]["Running"])

    def mend() -> None:
        docker("network", "rm", "shop")

    return mend


@scenario(
    "a child is killed by the memory limit, another container by systemd-oomd",
    ("container.oom-killed", "container:hungry"),
    ("container.killed-for-host-memory", "container:greedy"),
    also=("container.exits-at-start",),  # an effect: "greedy" is killed soon after its start
)
def _oom_child() -> None:
    sh, docker, wait_for, inspect = tools()
    docker("run", "-d", "--name", "greedy", *SOUND, "--restart", "no", "bb:1", "sleep", "10000")
    scope = f"/system.slice/docker-{inspect('greedy')['Id']}.scope"
    # what systemd-oomd does: it kills the cgroup, and says so in its journal
    words = f"Killed {scope} due to memory used (3102191616) / total (3116298240) being more than 90.00%"
    sh(f"echo 1 >/sys/fs/cgroup{scope}/cgroup.kill")
    sh(f"systemd-run --quiet --wait --unit=systemd-oomd.service echo '{words}'")
    script = "while :; do (tail /dev/zero) ; sleep 5; done"
    docker(
        "run", "-d", "--name", "hungry", *SOUND, "-m", "24m", "--memory-swap", "24m", "bb:1", "sh",
        "-c", script,
    )  # fmt: skip
    events = "/sys/fs/cgroup/system.slice/docker-{}.scope/memory.events".format(
        inspect("hungry")["Id"]
    )
    wait_for(lambda: "oom_kill 0" not in Path(events).read_text(), 60, "an OOM kill")
    assert inspect("hungry")["State"]["Running"]


@scenario(
    "the CPU limit throttles",
    ("resources.cpu-throttled", "container:busy"),
    also=("resources.io-saturated",),
)
def _throttled() -> None:
    _, docker, _, inspect = tools()
    docker(
        "run", "-d", "--name", "busy", *SOUND, "--cpus", "0.05", "bb:1", "sh", "-c",
        "while :; do :; done",
    )  # fmt: skip
    time.sleep(8)
    stat = Path(
        "/sys/fs/cgroup/system.slice/docker-{}.scope/cpu.stat".format(inspect("busy")["Id"])
    ).read_text()
    assert "nr_throttled 0" not in stat


@scenario("the pids limit is reached", ("resources.pids-exhausted", "container:forks"))
def _pids() -> None:
    _, docker, wait_for, inspect = tools()
    # a shell that may not fork ends, so a subshell tries
    script = "for i in 1 2 3 4 5 6 7; do sleep 1000 & done; (while :; do sleep 1000 & done) & wait"
    docker("run", "-d", "--name", "forks", *SOUND, "--pids-limit", "12", "bb:1", "sh", "-c", script)
    events = "/sys/fs/cgroup/system.slice/docker-{}.scope/pids.events".format(
        inspect("forks")["Id"]
    )
    wait_for(lambda: "max 0" not in Path(events).read_text(), 60, "a refused fork")


@scenario(
    "firewalld is started and reloaded under a running engine that does not know it",
    ("firewall.forward-dropped", "host:host"),
    also=("dns.upstream-unreachable",),
    cured=True,
)
def _firewalld() -> Callable[[], None]:
    sh, docker, wait_for, _ = tools()
    docker("run", "-d", "--name", "web", *SOUND, "-p", "8080:8080", "bb:1", *SERVER)
    sh("systemctl start firewalld; firewall-cmd --reload", timeout=240)
    # the engine writes its rules again when it hears of the reload
    wait_for(lambda: "dpt:8080" in sh("iptables -t nat -nL DOCKER"), 90, "the engine's rules")

    def mend() -> None:
        sh("systemctl stop firewalld", timeout=120)
        start_docker()

    return mend


@scenario(
    "a table of somebody's own drops what is forwarded",
    ("firewall.forward-dropped", "host:host"),
    also=("dns.upstream-unreachable",),
    cured=True,
)
def _foreign_table() -> Callable[[], None]:
    sh, docker, _, _ = tools()
    docker("run", "-d", "--name", "web", *SOUND, "-p", "8080:8080", "bb:1", *SERVER)
    sh(
        "nft add table inet mine; nft 'add chain inet mine f { type filter hook forward priority 10; policy drop; }'"
    )

    def mend() -> None:
        sh("nft delete table inet mine")

    return mend


@scenario(
    "daemon.json is broken and the engine gave up",
    ("daemon.config-invalid", "daemon:docker"),
    ("daemon.not-running", "daemon:docker"),
    ("daemon.start-limit-hit", "daemon:docker"),
    users=("root", "nobody"),
)
def _start_limit() -> Callable[[], None]:
    sh, _, wait_for, _ = tools()
    DAEMON_JSON.parent.mkdir(exist_ok=True)
    DAEMON_JSON.write_text(
        '{\n  "log-driver": "json-file",\n  "log-opts": {"max-size": "10m",}\n}\n'
    )
    # a start takes this machine too long for the usual limit of three within a minute
    patient = Path("/run/systemd/system/docker.service.d/lab.conf")
    patient.parent.mkdir(parents=True, exist_ok=True)
    patient.write_text("[Unit]\nStartLimitIntervalSec=3600\nStartLimitBurst=3\n")
    sh("systemctl daemon-reload")
    sh(
        "systemctl stop docker.socket docker.service; systemctl start docker.service",
        check=False,
        timeout=240,
    )
    wait_for(
        lambda: sh("systemctl is-failed docker.service", check=False).strip() == "failed",
        240,
        "the start limit",
    )

    def mend() -> None:
        DAEMON_JSON.unlink()
        patient.unlink()
        sh("systemctl daemon-reload")
        start_docker()

    return mend


@scenario(
    "the unit is masked and stopped",
    ("daemon.not-running", "daemon:docker"),
    users=("root", "nobody"),
)
def _masked() -> Callable[[], None]:
    sh, _, _, _ = tools()
    sh("systemctl stop docker.socket docker.service; systemctl mask docker.service", timeout=240)
    return start_docker


@scenario(
    "docker.socket listens, docker.service is down, nobody wakes it",
    ("daemon.not-running", "daemon:docker"),
)
def _sleeping() -> Callable[[], None]:
    sh, _, _, _ = tools()
    sh("systemctl stop docker.service; systemctl start docker.socket", timeout=240)
    assert "inactive" in sh("systemctl is-active docker.service", check=False)

    def mend() -> None:
        assert "inactive" in sh("systemctl is-active docker.service", check=False), (
            "the tool woke the engine"
        )
        start_docker()

    return mend


@scenario(
    "the engine is dead, its containers live",
    ("daemon.not-running", "daemon:docker"),
    also=("daemon.*", "container.*"),
)
def _orphans() -> Callable[[], None]:
    sh, docker, _, _ = tools()
    DAEMON_JSON.parent.mkdir(exist_ok=True)
    DAEMON_JSON.write_text('{"live-restore": true}\n')
    start_docker()
    for name in ("one", "two"):
        docker("run", "-d", "--name", name, *SOUND, "bb:1", "sleep", "10000")
    sh("systemctl stop docker.socket docker.service", timeout=240)
    assert sh("pgrep -c containerd-shim").strip() == "2"

    def mend() -> None:
        DAEMON_JSON.unlink()
        start_docker()

    return mend


@scenario(
    "containerd is down",
    ("daemon.containerd-down", "daemon:docker"),
    also=("daemon.*", "container.*"),
)
def _no_containerd() -> Callable[[], None]:
    sh, docker, _, _ = tools()
    docker("run", "-d", "--name", "web", *SOUND, "bb:1", "sleep", "10000")
    # without Restart=always it stays down; a mask would hide KillMode=process too, and take the
    # shims with it
    Path("/run/systemd/system/containerd.service.d").mkdir(parents=True)
    Path("/run/systemd/system/containerd.service.d/lab.conf").write_text("[Service]\nRestart=no\n")
    sh("systemctl daemon-reload; systemctl kill -s KILL --kill-whom=main containerd; sleep 1")
    assert sh("pgrep -c containerd-shim").strip() == "1"

    def mend() -> None:
        sh(
            "rm -r /run/systemd/system/containerd.service.d; systemctl daemon-reload; systemctl start containerd"
        )
        start_docker()

    return mend


@scenario(
    "AppArmor's default profile is turned off, and no boot starts the engine",
    ("security.unconfined", "container:bare"),
    ("daemon.not-enabled", "daemon:docker"),
)
def _unconfined() -> Callable[[], None]:
    sh, docker, _, _ = tools()
    sh("systemctl disable docker.service")
    docker(
        "run", "-d", "--name", "bare", *SOUND, "--security-opt", "apparmor=unconfined", "bb:1",
        "sleep", "10000",
    )  # fmt: skip

    def mend() -> None:
        sh("systemctl enable docker.service")

    return mend


_HOG = """
import mmap, time
available = [line for line in open("/proc/meminfo") if line.startswith("MemAvailable")][0].split()[1]
held = mmap.mmap(-1, int(int(available) * 1024 * 0.97))
for page in range(0, len(held), 4096):
    held[page] = 1
print("ok", flush=True)
time.sleep(600)
"""


@scenario(
    "the host is short of memory", ("resources.memory-scarce", "host:host"), also=("resources.*",)
)
def _scarce() -> Callable[[], None]:
    hog = subprocess.Popen(["python3", "-c", _HOG], stdout=subprocess.PIPE, text=True)
    assert hog.stdout is not None
    assert hog.stdout.readline() == "ok\n"

    def mend() -> None:
        hog.kill()
        hog.wait()

    return mend


@scenario("healthy again after all of it")
def _healthy_again() -> None:
    _, docker, wait_for, inspect = tools()
    docker("run", "-d", "--name", "web", *SOUND, "bb:1", "sleep", "10000")
    wait_for(lambda: inspect("web")["State"]["Running"])
