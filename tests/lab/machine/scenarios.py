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


@scenario("the kernel's modules were replaced by an update", ("kernel.modules-gone", "host:host"))
def _modules() -> Callable[[], None]:
    sh, _, _, _ = tools()
    sh("mv /lib/modules/$(uname -r) /root/modules")

    def mend() -> None:
        sh("mv /root/modules /lib/modules/$(uname -r)")

    return mend


@scenario(
    "a disk that does not answer holds a process",
    ("kernel.hung-task", "container:writer"),
    also=("resources.*", "storage.*"),
)
def _hung() -> Callable[[], None]:
    sh, docker, wait_for, _ = tools()
    sh(
        "truncate -s 64M /root/slow.img; mkfs.ext4 -q /root/slow.img; mkdir -p /srv/slow; mount -o loop /root/slow.img /srv/slow"
    )
    sh("chmod 777 /srv/slow; sysctl -qw kernel.hung_task_timeout_secs=5")
    docker("run", "-d", "--name", "writer", *SOUND, "-v", "/srv/slow:/data", "bb:1", "sh", "-c",
           "sleep 5; while :; do date >> /data/log; sleep 1; done")  # fmt: skip
    wait_for(Path("/srv/slow/log").exists)
    sh("fsfreeze -f /srv/slow")
    wait_for(lambda: "blocked for more than" in sh("dmesg"), 90, "the kernel to notice")

    def mend() -> None:
        sh(
            "fsfreeze -u /srv/slow; sysctl -qw kernel.hung_task_timeout_secs=120; docker rm -f writer; umount /srv/slow"
        )

    return mend


@scenario(
    "a volume's disk has errors",
    ("kernel.filesystem-errors", "filesystem:/srv/bad"),
    also=("kernel.hung-task", "storage.*"),
)
def _disk_errors() -> Callable[[], None]:
    sh, docker, _, _ = tools()
    sh(
        "truncate -s 64M /root/bad.img; mkfs.ext4 -q /root/bad.img; mkdir -p /srv/bad; mount -o loop /root/bad.img /srv/bad"
    )
    docker("run", "-d", "--name", "store", *SOUND, "-v", "/srv/bad:/data", "bb:1", "sleep", "10000")
    sh(
        "echo bad superblock > /sys/fs/ext4/$(basename $(findmnt -no SOURCE /srv/bad))/trigger_fs_error"
    )

    def mend() -> None:
        sh("docker rm -f store; umount /srv/bad")

    return mend


@scenario(
    "the host ran out of memory",
    ("resources.host-oom", "host:host"),
    also=("kernel.hung-task", "resources.*"),
)
def _host_oom() -> None:
    sh, docker, _, _ = tools()
    docker("run", "-d", "--name", "web", *SOUND, "bb:1", "sleep", "10000")
    sh("systemd-run --wait --quiet -p OOMScoreAdjust=1000 tail /dev/zero", check=False, timeout=300)
    assert "CONSTRAINT_NONE" in sh("dmesg")


@scenario(
    "more neighbours than the kernel's table may hold",
    ("network.neighbour-table-full", "host:host"),
    also=("dns.*", "container.*", "network.*", "kernel.*", "resources.*", "storage.*"),
)
def _neighbours() -> Callable[[], None]:
    sh, docker, wait_for, _ = tools()
    docker("run", "-d", "--name", "web", *SOUND, "bb:1", "sleep", "10000")
    limits = sh(
        "sysctl -n net.ipv4.neigh.default.gc_thresh1 net.ipv4.neigh.default.gc_thresh2 net.ipv4.neigh.default.gc_thresh3"
    )
    sh(
        "sysctl -qw net.ipv4.neigh.default.gc_thresh1=4 net.ipv4.neigh.default.gc_thresh2=8 net.ipv4.neigh.default.gc_thresh3=16"
    )
    ask = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor n in range(20, 220):\n"
    ask += "    try: s.sendto(b'', ('172.17.200.%d' % n, 9))\n    except OSError: pass\n"

    def overflows() -> bool:
        subprocess.run(["python3", "-c", ask], timeout=60, check=False)
        return "table overflow" in sh("dmesg")

    wait_for(overflows, 60, "the kernel to notice")

    def mend() -> None:
        names = ("gc_thresh1", "gc_thresh2", "gc_thresh3")
        for name, value in zip(names, limits.split(), strict=True):
            sh(f"sysctl -qw net.ipv4.neigh.default.{name}={value}")
        sh("docker rm -f web; ip neigh flush all")

    return mend
