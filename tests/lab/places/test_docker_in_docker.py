"""An engine inside a container, as build runners have it: that container is the tool's host."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.box import PROJECT, Box
from tests.lab.conftest import unfit
from tests.lab.runner import BASE_CONFIG

pytestmark = [
    pytest.mark.skipif(bool(unfit()), reason=str(unfit())),
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("docker-in-docker"),
]
OUTER = "runner"
OF_ITS_OWN = {
    "boot",
    "dev",
    "etc",
    "lost+found",
    "media",
    "mnt",
    "proc",
    "run",
    "sys",
    "tmp",
    "var",
}
"""Folders of the root that the container does not have from the box."""
LIMITS = ["--memory=64m", "--pids-limit=64", "--user=1000:1000", "--log-opt=max-size=1m"]


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box("28.5") as box:
        box.start_engine(config=BASE_CONFIG)
        programs = [
            f"--volume=/{name}:/{name}:ro"
            for name in sorted({path.name for path in Path("/").iterdir()} - OF_ITS_OWN)
            if (Path("/") / name).is_dir()
        ]
        settings = [
            f"--volume={path}:{path}:ro"
            for path in ("/etc/alternatives", "/etc/group", "/etc/ld.so.cache", "/etc/passwd")
        ]
        data = ["--volume=/var/cache:/var/cache:ro", "--volume=inner:/var/lib/docker"]
        places = [*programs, *settings, *data]
        options = ["--privileged", "--user=0", "--env=PATH=" + box.engine.path, *places]
        box.docker("run", "-d", f"--name={OUTER}", *options, "shop:1.4", "sleep", "100000")
        inside(box, "mkdir", "-p", "/run", "/tmp", "/var/log")
        engine = "exec dockerd --storage-driver=vfs >/var/log/dockerd.log 2>&1"
        box.docker("exec", "-d", OUTER, "sh", "-c", engine)
        box.wait_for(lambda: answers(box), what="the inner engine to answer")
        saved = f"docker save shop:1.4 | docker exec -i {OUTER} docker load"
        box.run(["sh", "-c", saved], timeout=60)
        yield box


def inside(box: Box, *words: str, check: bool = True) -> str:
    return box.docker("exec", OUTER, *words, check=check).stdout


def answers(box: Box) -> bool:
    return bool(
        inside(box, "docker", "version", "--format={{.Server.Version}}", check=False).strip()
    )


def findings(box: Box) -> set[tuple[str, str]]:
    """Id and subject of what is above advice, by the tool inside."""
    words = ["-m", "diagnose", "all", "--format", "json", "--budget", "40"]
    answer = box.run(
        ["docker", "exec", "--workdir", str(PROJECT), OUTER, sys.executable, *words],
        check=False,
        timeout=90,
    )
    report: dict[str, Any] = json.loads(answer.stdout)
    assert report["host"]["engine"], answer.stdout[:500]
    return {
        (finding["id"], finding["subject"]["name"])
        for finding in report["findings"]
        if finding["severity"] != "advice"
    }


def test_healthy_containers_of_an_inner_engine(box: Box) -> None:
    inside(box, "docker", "run", "-d", "--name=web", "--restart=always", *LIMITS, "shop:1.4")
    assert findings(box) == set()


def test_a_container_that_an_inner_engine_cannot_start(box: Box) -> None:
    inside(box, "docker", "run", "-d", "--name=gone", *LIMITS, "shop:1.4", "/none", check=False)
    assert findings(box) == {("container.entrypoint-missing", "gone")}
