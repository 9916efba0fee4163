"""A user's own engine: seen by root, by the user, dead and misconfigured."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.lab.box import Box, Run
from tests.lab.engines import discover
from tests.lab.places import loaded
from tests.lab.programs import load_server
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import BASE_CONFIG, PATIENT
from tests.lab.scenarios.real_servers import NGINX

TOOLS = ("rootlesskit", "slirp4netns", "fuse-overlayfs", "newuidmap")
USER, UID = "shop", 1200
HOME, RUNTIME = f"/home/{USER}", f"/run/user/{UID}"
SOCKET = f"{RUNTIME}/docker.sock"
CONFIG = f"{HOME}/.config/docker/daemon.json"
ENV = {"HOME": HOME, "XDG_RUNTIME_DIR": RUNTIME, "DOCKER_HOST": f"unix://{SOCKET}"}
PREPARE = f"""
useradd -m -u {UID} -s /bin/sh {USER}
echo {USER}:300000:65536 | tee /etc/subuid >/etc/subgid
mkdir -p {RUNTIME} {HOME}/.local/share/docker {HOME}/.config/docker
for node in net/tun:200 fuse:229; do
    mknod -m 666 /run/${{node#*:}} c 10 ${{node#*:}}
    mount --bind /run/${{node#*:}} /dev/${{node%:*}}
done
mkdir /var/lib/docker/of-{USER}
mount --bind /var/lib/docker/of-{USER} {HOME}/.local/share/docker
chown -R {USER}:{USER} {RUNTIME} {HOME}
chmod 700 {RUNTIME} {HOME}
"""
START = """#!/bin/sh
exec setsid rootlesskit --net=slirp4netns --mtu=65520 --disable-host-loopback --port-driver=builtin \\
    --copy-up=/etc --copy-up=/run --propagation=rslave --state-dir=$XDG_RUNTIME_DIR/dockerd-rootless \\
    sh -c 'rm -rf /run/docker /run/containerd /run/docker.pid /run/xtables.lock; exec dockerd --rootless' \\
    </dev/null >>/tmp/rootless.log 2>&1
"""


def unfit() -> str | None:
    """Why no rootless engine can be had here, or None."""
    lacking = [
        tool for tool in TOOLS if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None
    ]
    if lacking:
        return f"a rootless engine needs {', '.join(lacking)}"
    nodes = [node for node in ("/dev/net/tun", "/dev/fuse") if not Path(node).exists()]
    return f"a rootless engine needs {', '.join(nodes)}" if nodes else None


def start(box: Box) -> None:
    """Start the user's engine and wait until it answers."""
    box.run(["sh", "-c", "/start-rootless &"], user=USER, env=ENV)
    box.wait_for(lambda: answers(box), what="the rootless engine to answer")


def answers(box: Box) -> bool:
    try:
        return bool(box.api("/_ping", sock=SOCKET) == "OK")
    except (OSError, AssertionError):
        return False


def stop(box: Box) -> None:
    for pid in rootless(box):
        box.kill(pid, signal.SIGTERM)
    box.wait_for(
        lambda: not box.pids_of("dockerd") and not box.pids_of("rootlesskit"),
        what="the engine to end",
    )


def rootless(box: Box) -> list[int]:
    return [
        pid
        for pid in box.pids_of("dockerd")
        if b"--rootless" in box.path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def loud(run: Run) -> list[tuple[str, str, str]]:
    return [
        (finding["severity"], finding["id"], finding["summary"])
        for finding in run.findings
        if finding["severity"] != "advice"
    ]


def check(run: Run, id: str) -> tuple[str, str]:
    return next((row["verdict"], row["why"]) for row in run.report["checks"] if row["id"] == id)


def by_root(box: Box, *args: str) -> Run:
    return box.diagnose("all", "--format=json", *args)


def by_user(box: Box, *args: str) -> Run:
    return box.diagnose("all", "--format=json", *args, user=USER, env=ENV)


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A host on which a user's engine runs, and no other."""
    why = unfit()
    if why:
        pytest.skip(why)
    engines = discover()[0]
    if not engines:
        pytest.skip("no engine can be had")
    with Box(engines[-1]) as box:
        box.sh(PREPARE)
        box.write(CONFIG, BASE_CONFIG)
        box.write("/start-rootless", START, 0o755)
        start(box)
        yield box


@pytest.fixture
def running(box: Box) -> Box:
    if not answers(box):
        start(box)
    return box


@pytest.fixture
def stopped(box: Box) -> Box:
    stop(box)
    return box


def test_healthy_seen_by_root(running: Box) -> None:
    run = by_root(running)
    assert loud(run) == []
    verdict, why = check(run, "daemon.not-running")
    assert verdict == "unknown"
    assert f"process {rootless(running)[0]} and serves unix://{SOCKET}: name it with -H" in why


def test_healthy_seen_by_its_user(running: Box) -> None:
    run = by_user(running)
    assert loud(run) == []
    assert check(run, "daemon.not-running")[0] == "passed"


def test_found_by_docker_py_where_nothing_names_it(running: Box) -> None:
    """The session's socket replaces the default one, which is not there."""
    env = {name: value for name, value in ENV.items() if name != "DOCKER_HOST"}
    report, modules = loaded.run(running, "check", "daemon", user=USER, env=env)
    assert "docker" in modules
    assert {
        check["verdict"] for check in report["checks"] if check["id"] == "daemon.not-running"
    } == {"passed"}


def test_beside_a_system_engine_that_is_killed(running: Box) -> None:
    running.start_engine(config=BASE_CONFIG)
    own = rootless(running)
    try:
        assert loud(by_root(running)) == []
    finally:
        (pid,) = set(running.pids_of("dockerd")) - set(own)
        running.kill(pid, signal.SIGKILL)
    running.wait_for(
        lambda: running.pids_of("dockerd") == own, what="the system's engine to be gone"
    )
    found = {
        id: summary for severity, id, summary in loud(by_root(running)) if severity == "critical"
    }
    running.sh("rm -f /run/docker.sock /run/docker.pid /var/log/docker.log")
    assert list(found) == ["daemon.not-running"]
    assert str(own[0]) not in found["daemon.not-running"]


def test_stopped(stopped: Box) -> None:
    for run in (by_user(stopped), by_root(stopped, "-H", f"unix://{SOCKET}")):
        assert [(severity, id) for severity, id, _ in loud(run)] == [
            ("critical", "daemon.not-running")
        ]


@pytest.fixture
def logged_out(stopped: Box) -> Iterator[Box]:
    """Its user has logged out and does not linger: systemd has ended the user's services, and the
    runtime folder is gone."""
    stopped.sh(f"mv {RUNTIME} {RUNTIME}.kept")
    stopped.sh(f"mkdir -p {HOME}/.local/share/docker/containers/{'a' * 64}")
    yield stopped
    stopped.sh(f"rm -d {HOME}/.local/share/docker/containers/{'a' * 64}")
    stopped.sh(f"mv {RUNTIME}.kept {RUNTIME}")


def _not_running(run: Run) -> str:
    """What is said of the engine that does not run."""
    (said,) = (summary for _, id, summary in loud(run) if id == "daemon.not-running")
    return said


def test_its_user_has_logged_out(logged_out: Box) -> None:
    said = _not_running(by_root(logged_out, *PATIENT))
    assert f'the rootless engine of user "{USER}" is not running' in said
    assert "lingering is off" in said


def test_its_user_lingers(logged_out: Box) -> None:
    logged_out.sh(f"mkdir -p /var/lib/systemd/linger; touch /var/lib/systemd/linger/{USER}")
    try:
        said = _not_running(by_root(logged_out, *PATIENT))
    finally:
        logged_out.sh(f"rm /var/lib/systemd/linger/{USER}")
    assert said.endswith("and it has 1 container"), said


def test_broken_daemon_json_and_full_disk_of_a_dead_engine(stopped: Box) -> None:
    stopped.write(CONFIG, '{"log-driver": "json-file", }\n')
    stopped.fill(f"{HOME}/.local/share/docker/filler", 0.995)
    try:
        found = {id: (severity, summary) for severity, id, summary in loud(by_user(stopped))}
    finally:
        stopped.sh(f"rm {HOME}/.local/share/docker/filler")
        stopped.write(CONFIG, BASE_CONFIG)
    assert found.keys() == {"daemon.not-running", "daemon.config-invalid", "storage.disk-full"}
    assert found["daemon.config-invalid"][0] == "critical"
    assert CONFIG in found["daemon.config-invalid"][1]
    assert f"{HOME}/.local/share/docker" in found["storage.disk-full"][1]


HIDDEN = "network.clients-hidden"
EDGE = "server { listen 8080; location / { allow 192.0.2.0/24; deny all; root /; try_files /etc/hostname =404; } }"
SITE = f"http://{BOX_ADDRESS}:8088/"
STATUS = [
    "curl",
    "-so",
    "/dev/null",
    "--noproxy",
    "*",
    "--max-time",
    "3",
    "-w",
    "%{http_code}",
    SITE,
]


def test_clients_that_the_port_driver_hides(running: Box) -> None:
    """A list of addresses refuses everybody; with the other driver each client keeps its own."""
    engine = SimpleNamespace(api=partial(running.api, sock=SOCKET))
    load_server(cast(Box, engine), "nginx", "edge:1")
    running.write(f"{HOME}/nginx.conf", NGINX % EDGE)
    as_user = partial(running.docker, user=USER, env=ENV, timeout=60)
    as_user("network", "create", "edge_default")
    as_user(
        "run", "-d", "--name=edge", "--network=edge_default", "--restart=always", "-p", "8088:8080",
        "-v", f"{HOME}/nginx.conf:/etc/nginx/nginx.conf:ro", "edge:1",
        "/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf",
    )  # fmt: skip
    running.wait_for(lambda: _status(running) == "403", what="nginx to refuse")
    for _ in range(4):
        assert _status(running) == "403"
    (hidden,) = (
        finding for finding in by_user(running, *PATIENT).findings if finding["id"] == HIDDEN
    )
    assert hidden["subject"]["name"] == "edge"
    assert hidden["summary"].endswith("the port driver of this rootless engine is builtin")
    stop(running)
    running.write("/start-rootless", START.replace("=builtin", "=slirp4netns"), 0o755)
    start(running)
    running.wait_for(lambda: _status(running) == "200", what="nginx to serve")
    assert all(finding["id"] != HIDDEN for finding in by_user(running, *PATIENT).findings)
    running.write("/start-rootless", START, 0o755)


def _status(box: Box) -> str:
    """What a client outside the host gets."""
    return box.provider.run(STATUS, check=False).stdout
