"""A host with fifteen faults on thirteen containers, and one like it with nothing to find fault
with."""

from __future__ import annotations

import subprocess

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY, SILENT, WEB
from tests.lab.runner import healthy_container

_LOG_BYTES = 293_000_000
_SECRET = "S3cr3t-f0r-the-lab-0nly"


@fault(
    "container.oom-killed",
    subject="container:report",
    expect=[
        ("container.entrypoint-missing", "container:gateway"),
        ("container.restart-loop", "container:billing"),
        ("container.exec-format", "container:legacy"),
        ("container.entrypoint-forbidden", "container:batch"),
        ("container.unhealthy", "container:search"),
        ("logging.unbounded", "container:audit"),
        ("image.dangling", "*"),
        ("storage.volumes-unused", "*"),
        ("storage.disk-full", "filesystem:/var/lib/docker"),
        ("firewall.chains-missing", "*"),
        ("firewall.forwarding-off", "*"),
        ("dns.upstream-unreachable", "container:lost"),
        ("network.subnet-overlaps-route", "network:officenet"),
        ("network.port-allocated", "container:clash"),
        ("security.privileged", "container:admin"),
        ("security.docker-socket-mounted", "container:admin"),
        ("security.secrets-in-env", "container:admin"),
        ("security.root-user", "container:admin"),
        ("image.latest-tag", "*"),
    ],
    also=[
        "firewall.*",
        ("dns.upstream-unreachable", "*"),
        ("container.exits-at-start", "container:legacy"),
    ],
    box={"disk": "700M"},
    config={"log-opts": None},
    baseline=False,
    runs=5,
)
def fifteen_faults(box: Box) -> None:
    """Fifteen faults at once: start failures, a full disk, a flushed firewall, a dead resolver,
    risky settings."""
    healthy_container(box, "web", 8080)
    _start_failures(box)
    _noisy_and_idle(box)
    _networks(box)
    _risky(box)
    _firewall_and_disk(box)
    _symptoms_that_take_a_moment(box)


def _start_failures(box: Box) -> None:
    run = ("run", "-d", "--memory=64m", "--pids-limit=64")
    box.docker(*run, "--name=report", "--memory=24m", "--memory-swap=24m", "hungry:1")
    box.docker(
        *run, "--name=billing", "--restart=always", "bb:1.36", "sh", "-c", "echo no license; exit 3"
    )
    box.docker(*run, "--name=legacy", "foreign:1", check=False)
    box.docker(
        *run, "--name=search", "--health-cmd=false", "--health-interval=1s", "--health-retries=2",
        "bb:1.36", "sleep", "1000",
    )  # fmt: skip
    assert box.docker(*run, "--name=gateway", "noentry:1", check=False).returncode == 127
    assert box.inspect("gateway")["State"]["Status"] == "created"
    assert box.docker(*run, "--name=batch", "noexecbit:1", check=False).returncode == 126
    said = box.docker(*run, "--name=clash", "-p", "8080:8080", "shop:1.4", check=False)
    assert "port is already allocated" in said.stderr
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"


def _noisy_and_idle(box: Box) -> None:
    """A container log of 293 MB, three images without a name, two volumes without a container."""
    box.docker("run", "-d", "--name=audit", "bb:1.36", "sh", "-c", "echo started; exec sleep 1000")
    line = (
        '{"log":"GET /cart 200 12ms\\n","stream":"stdout","time":"2026-01-01T00:00:00.000000000Z"}'
    )
    log = box.inspect("audit")["LogPath"]
    box.run(["sh", "-c", 'yes "$1" | head -c "$2" >>"$3"', "sh", line, str(_LOG_BYTES), log])
    for number in range(3):
        box.docker("build", "-q", "-t", "shopdev", "-", stdin=f"FROM bb:1.36\nRUN echo {number} >/version\n",
                   env={"DOCKER_BUILDKIT": "0"})  # fmt: skip
    assert len(box.api('/images/json?filters={"dangling":["true"]}')) >= 2
    for name in ("old-data", "older-data"):
        box.docker("volume", "create", name)
        box.docker(
            "run", "--rm", "-v", f"{name}:/data", "bb:1.36", "dd", "if=/dev/zero", "of=/data/x",
            "bs=1M", "count=4",
        )  # fmt: skip
    box.docker("run", "-d", "--name=store", "-v", "orders:/data", "bb:1.36", "sleep", "1000")


def _networks(box: Box) -> None:
    box.docker("run", "-d", "--name=lost", f"--dns={SILENT}", "bb:1.36", "sleep", "1000")
    assert WEB in box.docker("exec", "web", "nslookup", "-type=a", "www.lab.test").stdout
    assert (
        box.docker(
            "exec", "lost", "timeout", "1", "nslookup", "www.lab.test", check=False
        ).returncode
        != 0
    )
    box.docker("network", "create", "--subnet=172.28.0.0/16", "officenet")
    box.docker("run", "-d", "--name=stray", "--net=officenet", "--ip=172.28.5.9", "shop:1.4")
    fetch = ["curl", "-sS", "-m", "1", "http://172.28.5.9:8080/"]
    assert box.run(fetch).stdout == "hello\n"
    box.run(["ip", "route", "add", "172.28.5.0/24", "via", GATEWAY])
    assert box.run(fetch, check=False).returncode != 0


def _risky(box: Box) -> None:
    box.docker(
        "run", "-d", "--name=admin", "--privileged", "-v",
        "/var/run/docker.sock:/var/run/docker.sock",
        "-e", f"DB_PASSWORD={_SECRET}", "bb", "sleep", "1000",
    )  # fmt: skip
    assert box.inspect("admin")["State"]["Running"]


def _firewall_and_disk(box: Box) -> None:
    for table in ("filter", "nat"):
        box.sh(f"iptables -t {table} -F; iptables -t {table} -X")
    assert "DOCKER" not in box.run(["iptables-save"]).stdout
    box.sh("sysctl -qw net.ipv4.ip_forward=0")
    assert (
        box.docker(
            "exec", "web", "timeout", "2", "wget", "-qO-", f"http://{WEB}/", check=False
        ).returncode
        != 0
    )
    box.fill("/var/lib/docker/volumes/orders/_data/orders.db", 0.972)


def _symptoms_that_take_a_moment(box: Box) -> None:
    # on a busy machine engine 20.10 may miss the kill, and leave State.OOMKilled false: the kernel
    # and the cgroup still tell
    assert box.wait_state("report", "exited")["State"]["ExitCode"] == 137
    assert box.wait_state("legacy", "exited")["State"]["ExitCode"] != 0
    box.wait_for(lambda: box.inspect("billing")["RestartCount"] >= 3, what="billing to restart")
    box.wait_health("search", "unhealthy")
    assert len(box.api("/containers/json?all=1")) == 13


@healthy(advice=(), baseline=False, runs=5, config={"live-restore": True})
def control_host(box: Box) -> None:
    """A shop that works: limits, log limits, health checks, names, ports and data as they should
    be."""
    box.docker("network", "create", "shopnet")
    healthy_container(box, "web", 8080, "--net=shopnet")
    healthy_container(box, "api", 8081, "--net=shopnet", "-v", "orders:/data")
    # the engine gives a new volume the owner of the image's folder at the first start
    box.sh("chown 1000:1000 /var/lib/docker/volumes/orders/_data")
    healthy_container(box, "docs", 8082)
    box.docker(
        "run", "--name=migrate", "--memory=64m", "--pids-limit=64", "--user=1000:1000",
        "--read-only", "--cap-drop=ALL",
        "--security-opt=no-new-privileges", "--net=shopnet", "shop:1.4", "true",
    )  # fmt: skip
    for name, port in (("web", 8080), ("api", 8081), ("docs", 8082)):
        box.wait_health(name, "healthy")
        assert box.provider.curl(f"http://{BOX_ADDRESS}:{port}/") == "hello\n"
    assert WEB in _lookup(box, "web", "www.lab.test").stdout
    assert "172." in _lookup(box, "web", "api").stdout
    assert WEB in _lookup(box, "docs", "www.lab.test").stdout


def _lookup(box: Box, container: str, name: str) -> subprocess.CompletedProcess[str]:
    return box.docker("exec", container, "nslookup", "-type=a", name)
