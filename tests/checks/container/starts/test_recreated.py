"""Deployments that stopped half way, and what they left."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.images.listing import Image, Images
from diagnose.evidence.machine.clock import Clock
from diagnose.phrases import unix
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 1_800_000_000.0
CLOCK = Clock(NOW, 0.0)
OLD, YOUNG = "2027-01-15T06:00:00Z", "2027-01-15T07:59:40Z"
ID = "36e1287bd0ab"
DOWN = {"Status": "exited", "Pid": 0, "ExitCode": 0}
NEVER = {"Status": "created", "Pid": 0, "ExitCode": 0, "StartedAt": ""}
LABELS = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.project.working_dir": "/srv/shop",
}


def member(name: str, state: dict[str, Any] | None = None, **parts: Any) -> Container:
    """A container of a compose project."""
    given: dict[str, Any] = {"Created": OLD, "Config": {"Image": "shop:live", "Labels": LABELS}}
    return container(name, State=state or {}, **(given | parts))


LEFT = f"{ID}_shop-web-1"


@pytest.mark.parametrize(
    ("members", "severity", "variables"),
    [
        pytest.param(
            [member(LEFT, DOWN), member("shop-web-1", NEVER)],
            "critical",
            {"ready": "shop-web-1"},
            id="neither runs",
        ),
        pytest.param(
            [member(LEFT)], "warning", {"only": LEFT, "name": "shop-web-1"}, id="the only one runs"
        ),
        pytest.param(
            [member(LEFT, DOWN)],
            "critical",
            {"only": LEFT, "name": "shop-web-1"},
            id="the only one is down",
        ),
        pytest.param(
            [member(LEFT), member("shop-web-1", DOWN)],
            "warning",
            {"unused": "shop-web-1", "kept": LEFT, "name": "shop-web-1"},
            id="the new one runs",
        ),
        pytest.param(
            [member(LEFT, DOWN), member("shop-web-1")],
            "warning",
            {"leftover": LEFT},
            id="the right one runs",
        ),
    ],
)
def test_recreate_interrupted(
    members: list[Container], severity: str, variables: dict[str, str]
) -> None:
    result = judge("container.recreate-interrupted", containers=of(*members), clock=CLOCK)
    assert rows(result) == [(severity, LEFT)]
    assert result.findings[0].variables == {"container": LEFT} | variables


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([container(LEFT, Created=OLD)], id="of no project"),
        pytest.param([member("shop-web-1")], id="an ordinary name"),
        pytest.param([member("backup_shop-web-1")], id="another prefix"),
        pytest.param(
            [member(LEFT, DOWN), member("shop-web-1", NEVER, Created=YOUNG)], id="still at work"
        ),
    ],
)
def test_no_recreate_was_interrupted(members: list[Container]) -> None:
    result = judge("container.recreate-interrupted", containers=of(*members), clock=CLOCK)
    assert result.verdict == "passed"


def listed(id: str, *tags: str) -> Image:
    return Image(id=id, repo_tags=[*tags])


@pytest.mark.parametrize(
    ("reference", "created", "fires"),
    [
        ("shop:live", OLD, True),
        ("docker.io/library/shop:live", OLD, True),
        ("shop:live", YOUNG, False),
        ("shop:other", OLD, False),
        ("sha256:2222", OLD, False),
    ],
)
def test_older_than_its_tag(reference: str, created: str, fires: bool) -> None:
    config = {"Image": reference, "Labels": LABELS}
    running = member("web", Image="sha256:1111", Created=created, Config=config)
    images = Images((listed("sha256:1111"), listed("sha256:2222", "shop:live")), {})
    result = judge(
        "container.older-than-its-tag", containers=of(running), images=images, clock=CLOCK
    )
    assert rows(result) == ([("advice", "web")] if fires else [])


RESTARTED = "2027-01-15T07:00:00Z"
PULLED = unix(RESTARTED) or 0.0
MOVES: dict[str, tuple[float, str, int, list[str], bool]] = {
    "pulled before the start": (PULLED - 60, "shop:live", 0, ["shop@sha256:2"], True),
    "pulled since": (PULLED + 60, "shop:live", 0, ["shop@sha256:2"], False),
    "another tag": (PULLED - 60, "shop:next", 0, ["shop@sha256:2"], False),
    "built before the start": (0.0, "", int(PULLED) - 60, [], True),
    "built since": (0.0, "", int(PULLED) + 60, [], False),
    "published before the start": (0.0, "", int(PULLED) - 60, ["shop@sha256:2"], False),
}


@pytest.mark.parametrize(("at", "tag", "built", "digests", "aloud"), MOVES.values(), ids=MOVES)
def test_a_restart_after_a_pull(
    at: float, tag: str, built: int, digests: list[str], aloud: bool
) -> None:
    config = {"Image": "shop:live", "Labels": LABELS}
    running = member("web", Image="sha256:1111", Created=OLD, Config=config)
    running = replace(running, state=replace(running.state, started_at=RESTARTED))
    newer = Image(id="sha256:2222", repo_tags=["shop:live"], repo_digests=digests, created=built)
    pull = Event(at, "image", "pull", "", tag, {"name": tag.partition(":")[0]})
    result = judge(
        "container.older-than-its-tag",
        containers=of(running),
        images=Images((newer,), {}),
        clock=CLOCK,
        events=Events((pull,) if tag else ()),
    )
    assert [finding.is_quiet for finding in result.findings] == [not aloud]


def test_the_build_of_its_tag_is_not_older() -> None:
    images = Images((listed("sha256:1111", "shop:live"),), {})
    result = judge(
        "container.older-than-its-tag",
        containers=of(member("web", Image="sha256:1111")),
        images=images,
        clock=CLOCK,
    )
    assert result.verdict == "passed"


@pytest.mark.parametrize(
    ("compose", "engine", "is_named"),
    [("1.29.2", "28.5.2", True), ("1.29.2", "20.10.24", False), ("2.40.0", "28.5.2", False)],
)
def test_version_one_of_compose_cannot_recreate_on_newer_engines(
    compose: str, engine: str, is_named: bool
) -> None:
    labels = {**LABELS, "com.docker.compose.version": compose}
    left = member(f"{ID}_shop_web_1", DOWN, Config={"Image": "shop:live", "Labels": labels})
    ping = Ping("1.41", engine, "")
    result = judge("container.recreate-interrupted", containers=of(left), clock=CLOCK, ping=ping)
    (finding,) = result.findings
    assert ("ContainerConfig" in finding.summary) == is_named
