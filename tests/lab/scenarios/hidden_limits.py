"""Limits of the host or of an option that nobody thinks of when a program is slow or ends."""

from __future__ import annotations

from tests.lab import Box, fault, healthy, images
from tests.lab.box import LOG
from tests.lab.runner import BASE_CONFIG

_SAFE = [
    "run", "-d", "--memory=64m", "--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL",
    "--security-opt=no-new-privileges", "--read-only",
]  # fmt: skip
_BUSY = ["bb:1.36", "sh", "-c", "while :; do :; done"]


@fault("container.option-in-the-way", subject="container:worker51", also=["container.restart-loop"])
def time_on_the_cpu_that_is_used_up(box: Box) -> None:
    """A worker may use a second of CPU time: the kernel kills it, the engine starts it again."""
    options = ["--ulimit=cpu=1:1", "--restart=always", "--name=worker51"]
    box.docker(*_SAFE, *options, *_BUSY)
    box.wait_for(lambda: box.inspect("worker51")["RestartCount"] >= 3, what="three restarts")


@healthy(advice=None)
def time_on_the_cpu_that_is_enough(box: Box) -> None:
    """The same limit, and a program that waits."""
    box.docker(*_SAFE, "--ulimit=cpu=1:1", "--name=worker52", "bb:1.36", "sleep", "1000")


def _engine_with_small_temporary_folder(box: Box, size: str) -> None:
    box.sh(f"mkdir -p /run/small && mount -t tmpfs -o size={size} tmpfs /run/small")
    box.start_engine(config=BASE_CONFIG, env={"DOCKER_TMPDIR": "/run/small"})
    images.load(box, "bb:1.36")
    box.sh("mkdir -p /srv/b && head -c 9000000 /dev/urandom >/srv/b/big")
    box.write("/srv/b/Dockerfile", "FROM bb:1.36\nCOPY big /big\n")


def _build(box: Box) -> str:
    classic = ["env", "DOCKER_BUILDKIT=0", "docker", "build", "/srv/b"]
    return box.run(classic, check=False, timeout=60).stderr


@fault("daemon.temp-folder-small", subject="daemon:docker", engine_started=False)
def temporary_folder_in_little_memory(box: Box) -> None:
    """The engine unpacks in a tmpfs of 3 MB, and a build brings 9; the command gives it room."""
    _engine_with_small_temporary_folder(box, "3m")
    assert "no space left on device" in _build(box)
    box.wait_for(lambda: "no space left" in box.read(LOG), what="the engine to say so")
    findings = box.diagnose("check", "daemon.temp-folder-small", "--format", "json").findings
    box.sh(findings[0]["fix"][0]["command"])
    assert "no space left" not in _build(box)
    box.sh("mount -o remount,size=3m /run/small")


@healthy(advice=None, engine_started=False)
def temporary_folder_in_memory_that_is_enough(box: Box) -> None:
    """The same with room for the build."""
    _engine_with_small_temporary_folder(box, "60m")
    assert "no space left" not in _build(box)
    box.sh("docker image prune --force; docker builder prune --force --all || true")
