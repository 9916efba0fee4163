"""The engine's collectors on real engines.

They answer as docker-py does, and give the right place and reason for an engine that is not well.
"""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.lab.box import PROJECT, Box
from tests.lab.engines import Engine
from tests.lab.provider import BOX_ADDRESS

ASK = """
import json, sys
from tests.questions import question
from diagnose.live import Live
from diagnose.model import Failed

live, answers = Live(), []
for kind, args in json.loads(sys.argv[1]):
    answer = live.ask(question(kind, **args))
    answers.append({"failed": answer.reason, "detail": answer.detail} if isinstance(answer, Failed) else answer)
print(json.dumps(answers))
"""

COMPARE = """
import json
import docker
from tests.questions import question
from diagnose.live import Live
from diagnose.live.engine import api

live = Live()
api.ping(live, question("api.ping"))
version = ".".join(map(str, api.engine(live).version))
theirs = docker.APIClient(version=version)
ours = lambda kind, **args: api.get(live, question(kind, **args))
volatile = {"SystemTime", "NFd", "NGoroutines", "Status"}
still = lambda value: {key: each for key, each in value.items() if key not in volatile}
by_id = lambda listed: sorted(listed, key=lambda each: each["Id"])
pairs = {
    "list": ([still(c) for c in theirs.containers(all=True)], [still(c) for c in ours("api.containers")]),
    "info": (still(theirs.info()), still(ours("api.info"))),
    "version": (theirs.version(), ours("api.version")),
    "networks": (by_id(theirs.networks()), by_id(ours("api.networks"))),
    "images": (theirs.images(), ours("api.images")),
    "image": (theirs.inspect_image("shop:1.4"), ours("api.image", id="shop:1.4")),
    "history": (theirs.history("shop:1.4"), ours("api.image_history", id="shop:1.4")),
    "volumes": (theirs.volumes(), ours("api.volumes")),
    "inspect": (theirs.inspect_container("web"), ours("api.container", id="web")),
    "failed": (theirs.inspect_container("fails"), ours("api.recheck", id="fails")),
    "df": (theirs.df(), ours("api.system_df")),
}
logs = ours("api.logs", id="web", tail=10)
pairs["logs"] = (theirs.logs("web", tail=10, timestamps=True).decode(), logs["text"])
print(json.dumps({name: pair[0] == pair[1] for name, pair in pairs.items()}))
"""


def ask(box: Box, *questions: tuple[str, dict[str, Any]], **options: Any) -> list[Any]:
    done = box.run([sys.executable, "-c", ASK, json.dumps(questions)], cwd=str(PROJECT), **options)
    answers: list[Any] = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module")
def boxes() -> Iterator[dict[str, Box]]:
    opened: dict[str, Box] = {}
    yield opened
    for box in opened.values():
        box.close()


@pytest.fixture
def box(boxes: dict[str, Box], engine: Engine) -> Box:
    """One host per engine for all tests of this module; each leaves it as it found it."""
    if engine.name not in boxes:
        box = boxes[engine.name] = Box(engine, provider=False).__enter__()
        box.start_engine()
        box.image("shop:1.4")
        box.docker("network", "create", "shopnet")
        talk = "echo out; echo err >&2; exec sleep 1000"
        box.docker(
            "run", "-d", "--name=web", "--net=shopnet", "--user=0", "shop:1.4", "sh", "-c", talk
        )
        box.docker("run", "-d", "--name=fails", "shop:1.4", "/none", check=False)
    return boxes[engine.name]


def test_answers_are_those_of_docker_py(box: Box) -> None:
    done = box.run([sys.executable, "-c", COMPARE], cwd=str(PROJECT))
    same = json.loads(done.stdout)
    assert len(same) == 12
    assert same == dict.fromkeys(same, True)


def test_engine_alive_is_found_here(box: Box) -> None:
    place, ping, endpoint = ask(box, ("locality", {}), ("api.ping", {}), ("endpoint", {}))
    assert (place["same_host"], place["engine_pid"], place["how"]) == (
        True,
        box.engine_pid,
        "peer credentials",
    )
    assert (place["same_netns"], place["same_mntns"], place["same_pidns"]) == (True, True, True)
    assert ping["engine_version"].startswith(box.engine.version)
    assert (endpoint["source"], endpoint["named"]) == ("default socket", False)


def test_nobody_sees_where_the_engine_is_and_that_its_socket_is_forbidden(box: Box) -> None:
    place, ping = ask(box, ("locality", {}), ("api.ping", {}), user="nobody")
    assert (place["same_host"], place["engine_pid"], place["same_netns"]) == (
        True,
        box.engine_pid,
        None,
    )
    assert ping["failed"] == "forbidden"


def test_member_of_group_docker_may_ask_but_not_compare_namespaces(box: Box) -> None:
    place, ping, caller = ask(
        box, ("locality", {}), ("api.ping", {}), ("caller", {}), user="nobody", groups=("docker",)
    )
    assert (place["same_host"], place["engine_pid"], place["same_netns"]) == (
        True,
        box.engine_pid,
        None,
    )
    assert ping["engine_version"].startswith(box.engine.version)
    assert (caller["session_has_it"], caller["docker_group"], caller["caps"]) == (True, False, [])


def test_stopped_engine_is_still_found_here(box: Box) -> None:
    pid = box.engine_pid
    box.kill(pid, signal.SIGSTOP)
    try:
        questions: list[tuple[str, dict[str, Any]]] = [
            ("locality", {}),
            ("api.ping", {}),
            ("api.containers", {}),
        ]
        root = ask(box, *questions)
        member = ask(box, *questions, user="nobody", groups=("docker",))
    finally:
        box.kill(pid, signal.SIGCONT)
    for place, ping, listed in (root, member):
        assert (place["same_host"], place["engine_pid"]) == (True, pid)
        assert (ping["failed"], listed["failed"]) == ("timed out", "timed out")
        assert "no answer in time" in ping["detail"]


def test_hung_containerd_hangs_info_alone(box: Box) -> None:
    pid = box.containerd_pid
    box.kill(pid, signal.SIGSTOP)
    try:
        info, listed, inspected = ask(
            box, ("api.info", {}), ("api.containers", {}), ("api.container", {"id": "web"})
        )
    finally:
        box.kill(pid, signal.SIGCONT)
    assert info["failed"] == "timed out"
    assert {container["Names"][0] for container in listed} == {"/web", "/fails"}
    assert inspected["State"]["Running"] is True


INSIDE: dict[str, tuple[tuple[str, ...], str | None]] = {
    "ordinary container": (("--user=0",), None),
    "the host's PID namespace": (("--user=0", "--pid=host"), "engine"),
    "all namespaces but one": (
        ("--user=0", "--pid=host", "--net=host", "--cap-add=SYS_PTRACE"),
        "engine",
    ),
}


@pytest.mark.parametrize(("flags", "sees"), INSIDE.values(), ids=INSIDE)
def test_tool_in_a_container_does_not_take_it_for_the_host(
    box: Box, flags: tuple[str, ...], sees: str | None
) -> None:
    places = [sys.base_prefix, str(PROJECT), sys.prefix, "/usr", "/lib", "/lib64"]
    binds = [f"--volume={place}:{place}:ro" for place in places if Path(place).exists()]
    socket = "--volume=/var/run/docker.sock:/var/run/docker.sock"
    questions = json.dumps([("locality", {}), ("api.ping", {}), ("mounts", {}), ("caller", {})])
    command = ["run", "--rm", *flags, *binds, socket, f"--workdir={PROJECT}", "shop:1.4"]
    out = box.docker(*command, sys.executable, "-c", ASK, questions).stdout
    place, ping, mounts, caller = json.loads(out)
    assert place["same_host"] is False
    assert "container" in place["why"] or "PID namespace" in place["why"]
    assert (place["engine_pid"] is not None) == (sees == "engine")
    assert ping["engine_version"].startswith(box.engine.version)
    assert mounts["failed"] == "remote"
    assert caller["in_container"] is True


def test_engine_on_a_loopback_port_is_found_here_only_if_it_listens_there(box: Box) -> None:
    port = 2399
    forward = (
        "import socket, threading\n"
        f"listener = socket.create_server(('127.0.0.1', {port}))\n"
        "while True:\n"
        "    near, _ = listener.accept()\n"
        "    far = socket.socket(socket.AF_UNIX)\n"
        "    far.connect('/run/docker.sock')\n"
        "    def copy(a, b):\n"
        "        while data := a.recv(65536):\n"
        "            b.sendall(data)\n"
        "    for pair in ((near, far), (far, near)):\n"
        "        threading.Thread(target=copy, args=pair, daemon=True).start()\n"
    )
    tunnel = box.spawn([sys.executable, "-c", forward])
    env = {"DOCKER_HOST": f"tcp://127.0.0.1:{port}"}
    try:
        box.wait_for(
            lambda: "failed" not in ask(box, ("api.ping", {}), env=env)[0], what="the tunnel"
        )
        place, mounts = ask(box, ("locality", {}), ("mounts", {}), env=env)
    finally:
        box.kill(tunnel)
    assert (place["same_host"], place["engine_pid"]) == (False, None)
    assert mounts["failed"] == "remote"


def test_killed_engine_is_judged_here(box: Box) -> None:
    """The last of this module: the engine is gone afterwards."""
    box.kill(box.engine_pid, signal.SIGKILL)
    for user in (None, "nobody"):
        place, ping = ask(box, ("locality", {}), ("api.ping", {}), user=user)
        assert (place["same_host"], place["engine_pid"]) == (True, None)
        assert ping["failed"] == ("refused" if user is None else "forbidden")
    far = {"DOCKER_HOST": "tcp://127.0.0.1:2375"}
    place, ping = ask(box, ("locality", {}), ("api.ping", {}), env=far)
    assert (place["same_host"], ping["failed"]) == (False, "refused")


def test_engine_that_listens_on_a_loopback_port_is_here() -> None:
    """On the distribution's engine: from 26.1 on, one without TLS waits 15 s before it serves a
    port."""
    with Box("distro", provider=False) as box:
        box.start_engine(
            "-H", "unix:///run/docker.sock", "-H", "tcp://127.0.0.1:2375", "--tls=false"
        )
        for user in (None, "nobody"):
            env = {"DOCKER_HOST": "tcp://127.0.0.1:2375"}
            place, ping = ask(box, ("locality", {}), ("api.ping", {}), env=env, user=user)
            assert (place["same_host"], place["engine_pid"]) == (True, box.engine_pid)
            assert ping["engine_version"].startswith(box.engine.version)


PODMAN = ["podman", "--root=/var/lib/docker/p", "--runroot=/run/p", "--tmpdir=/run/t"]
needs_podman = pytest.mark.skipif(shutil.which("podman") is None, reason="podman is not installed")


def serve_podman(box: Box) -> None:
    limits = '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1000:1000"]\n'
    box.write("/etc/containers/containers.conf", limits + '[engine]\ncgroup_manager="cgroupfs"\n')
    box.sh("mkdir -p /run/podman")
    box.spawn([*PODMAN, "system", "service", "--time=0", "unix:///run/podman/podman.sock"])
    box.wait_for(lambda: box.path("/run/podman/podman.sock").exists(), what="podman's socket")


@needs_podman
def test_containers_of_podman_are_judged() -> None:
    """One that serves behind a published port, and one that fails; what Docker would have in its
    place is missed by nobody."""
    with Box("distro") as box:
        box.sh(
            "mkdir -p /tmp/r/bin; cp $(which busybox) /tmp/r/bin/; ln -s busybox /tmp/r/bin/httpd; ln -s busybox /tmp/r/bin/false"
        )
        box.sh(f"tar c -C /tmp/r . | {shlex.join(PODMAN)} import - bb:1")
        serve_podman(box)
        run = [*PODMAN, "run", "-d", "--memory=64m", "--pids-limit=64"]
        box.run(
            [*run, "--name=web", "-p", "8080:80", "bb:1", "/bin/httpd", "-f", "-p", "80"],
            timeout=30,
        )
        box.run([*run, "--name=fails", "bb:1", "/bin/false"], timeout=30)
        box.run(["curl", "-sS", "-m", "2", "-o", "/dev/null", "http://127.0.0.1:8080/"])
        report = box.diagnose("all", "--format", "json").report
        assert loud(report) == [("container.exits-at-start", "fails")]
        assert not [row["id"] for row in report["checks"] if row["verdict"] == "crashed"]
        box.sh("nft flush ruleset")
        assert not box.provider.curl(f"http://{BOX_ADDRESS}:8080/", timeout=2, check=False)
        report = box.diagnose("check", "firewall", "dns", "--format", "json").report
        roots = [f["id"] for f in report["findings"] if f["root"] and f["severity"] == "critical"]
        assert roots == ["firewall.podman-rules-missing"]
        box.run([*PODMAN, "network", "reload", "--all"], timeout=30)
        assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/nothing")


def loud(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The findings above advice."""
    return [
        (f["id"], f["subject"]["name"]) for f in report["findings"] if f["severity"] != "advice"
    ]


@needs_podman
def test_podman_answers_and_is_known_as_such() -> None:
    with Box("distro", provider=False) as box:
        serve_podman(box)
        kinds = ("endpoint", "locality", "api.ping", "api.containers", "api.networks", "api.nodes")
        endpoint, place, ping, listed, networks, nodes = ask(box, *((kind, {}) for kind in kinds))
        (hidden,) = ask(box, ("locality", {}), user="nobody")
    assert (endpoint["source"], endpoint["named"]) == ("podman socket", False)
    assert (place["same_host"], place["how"]) == (True, "peer credentials")
    assert ping["libpod"].split(".")[0].isdigit()
    assert ping["engine_version"] is None
    assert (listed, len(networks), nodes["failed"]) == ([], 1, "gone")
    assert (hidden["same_host"], hidden["engine_pid"]) == (True, place["engine_pid"])
