"""image.build-failed, with the history of BuildKit in engine 28.5."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.daemon import Caller, Daemon
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse
from diagnose.evidence.images.failed_builds import FailedBuilds, failed_builds
from diagnose.evidence.images.listing import Image, Images
from diagnose.evidence.run.options import Options
from diagnose.model import Failed, Unavailable
from diagnose.phrases import unix
from tests.checks.container.evidence import container_in
from tests.checks.daemon.evidence import ALIVE, NAMED
from tests.checks.image.evidence import CLOCK, NOW
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

DATA = DataRoot("/var/lib/docker", "info")
SOLVED = (
    'time="2027-01-15T07:59:00Z" level=error msg=/moby.buildkit.v1.Control/Solve '
    'error="rpc error: code = Unknown desc = dockerfile parse error on line 2"'
)
LOG = DaemonLog(tuple(parse([SOLVED])), "/var/log/docker.log")
WARNED = [("warning", "shop/web:1")]


def build(age: float = 60, error: str = "", name: str = "shop/web:1", **rest: object) -> dict:
    names = [name] if name else []
    return {"at": NOW - age, "ref": "r", "names": names, "error": error, **rest}


FAILED = build(60, "exit code: 1")
HISTORIES = {
    "a moment ago": ([FAILED], WARNED),
    "none": ([], []),
    "went well": ([build()], []),
    "mended under another tag": ([build(30, name="shop/web:2"), FAILED], []),
    "another image": ([build(30, name="shop/api:2"), FAILED], WARNED),
    "broke after it went well": ([FAILED, build(90)], WARNED),
    "hours ago": ([build(7200, "exit code: 1")], [("advice", "shop/web:1")]),
    "all morning": ([build(7200 + at, "exit code: 1") for at in range(5)], WARNED),
    "days ago": ([build(2 * 86400, "exit code: 1")], []),
    "broken off": ([build(60, "Canceled: context canceled")], []),
    "without a name": ([build(60, "exit code: 1", "")], [("warning", "docker")]),
    "still runs": ([{**build(), "at": 0.0}], []),
}


def found(
    answer: object,
    log: DaemonLog | None = None,
    containers: Containers | None = None,
    newest: int = 0,
) -> FailedBuilds | Unavailable:
    images = Images((Image("sha256:2", created=newest),))
    host = Made({"file.builds": answer})
    return failed_builds(host, DATA, log, containers, images, CLOCK, Options())


@pytest.mark.parametrize(("history", "expected"), HISTORIES.values(), ids=HISTORIES)
def test_builds_that_failed_last(history: list[dict], expected: list[tuple[str, str]]) -> None:
    evidence = found(history)
    result = judge("image.build-failed", failed_builds=evidence, daemon=ALIVE, clock=CLOCK)
    assert rows(result) == expected


def test_without_rights_the_log_tells() -> None:
    assert unix("2027-01-15T07:59:00Z") == NOW - 60
    evidence = found(Failed("forbidden", "/var/lib/docker"), LOG)
    result = judge("image.build-failed", failed_builds=evidence, daemon=ALIVE, clock=CLOCK)
    assert rows(result) == [("warning", "docker")]
    assert isinstance(found(Failed("forbidden", "/var/lib/docker")), Unavailable)
    assert found(Failed("missing", "")) == FailedBuilds()


def test_podman_keeps_no_history() -> None:
    podman = Daemon(NAMED, Caller(), is_podman=True)
    evidence = found([FAILED])
    assert not rows(judge("image.build-failed", failed_builds=evidence, daemon=podman, clock=CLOCK))


STEP = {"step": "[2/3] RUN npm ci", "lines": ["added 3 packages", "error: the asset list is empty"]}
ENDED = 'process "/bin/sh -c npm ci" did not complete successfully: exit code: 1'


def test_the_words_of_a_step_stand_beside_its_end() -> None:
    evidence = found([build(60, ENDED, **STEP)])
    (finding,) = judge(
        "image.build-failed", failed_builds=evidence, daemon=ALIVE, clock=CLOCK
    ).findings
    assert finding.summary == (
        'building image "shop/web:1" failed once, 1 min ago: its step ended with exit code 1: '
        "error: the asset list is empty"
    )
    assert finding.evidence["step"] == "[2/3] RUN npm ci"


@pytest.mark.parametrize("version", ["20.10.24", "28.5.2", ""])
def test_engines_without_a_history(version: str) -> None:
    ping = Ping("1.44", version, "")
    evidence = {"daemon": ALIVE, "clock": CLOCK, "ping": ping}
    result = judge("image.build-failed", failed_builds=found([FAILED]), **evidence)
    assert rows(result) == WARNED
    verdict = "skipped" if version.startswith("20") else "passed"
    nothing = judge("image.build-failed", failed_builds=found([]), **evidence)
    assert nothing.verdict == verdict


def step(**changes: Any) -> Container:
    """What the classic builder of engine 28.5 leaves of a step that failed."""
    config = {"Image": "sha256:8cfaab27", "Healthcheck": {"Test": ["NONE"]}}
    return container_in(
        "exited",
        code=1,
        age=60,
        ran=1,
        Path="/bin/sh",
        Args=["-c", "wget http://deb.lab.test/x"],
        **{"Config": config, "HostConfig": {"LogConfig": {"Type": "none"}}, **changes},
    )


STEPS = {
    "kept": (step(), 0, [("warning", "docker")]),
    "a newer image": (step(), int(NOW) - 30, []),
    "an older image": (step(), int(NOW) - 300, [("warning", "docker")]),
    "a container with a log": (step(HostConfig={"LogConfig": {"Type": "json-file"}}), 0, []),
}


@pytest.mark.parametrize(("left", "newest", "expected"), STEPS.values(), ids=STEPS)
def test_steps_of_the_classic_builder(
    left: Container, newest: int, expected: list[tuple[str, str]]
) -> None:
    evidence = found(Failed("missing", ""), containers=of(left), newest=newest)
    result = judge("image.build-failed", failed_builds=evidence, daemon=ALIVE, clock=CLOCK)
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.evidence["step"] == "RUN wget http://deb.lab.test/x"
