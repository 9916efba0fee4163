"""The check in checks/image/corrupt.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import LogLine
from diagnose.evidence.images.layer_folders import LayerFolders
from diagnose.evidence.images.layers import Layers
from diagnose.model import DAEMON, Subject, Unavailable, Unexamined
from tests.checks.image.evidence import CLOCK, NOW
from tests.inspected import container, of
from tests.judging import judge, rows

OUT_OF_REACH = Unavailable("forbidden", "not root")


LOST = LogLine(NOW - 60, "error", "create: open /d/overlay2/abc/link: no such file or directory")


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        pytest.param(LayerFolders((), 5), [], id="whole"),
        pytest.param(
            LayerFolders((("shop:1.4", "/d/overlay2/abc/link"),), 5),
            ["shop:1.4"],
            id="a part is gone",
        ),
        pytest.param(
            LayerFolders((("shop:1.4", "/d/overlay2/abc/link"),), 5, (LOST,)),
            ["shop:1.4"],
            id="and the log tells",
        ),
        pytest.param(LayerFolders((), 5, (LOST,)), ["docker"], id="the log alone"),
        pytest.param(
            LayerFolders((), 5, (LogLine(NOW - 7200, "error", LOST.message),)),
            [],
            id="the log, long ago",
        ),
    ],
)
def test_corrupt(layers: LayerFolders, names: list[str]) -> None:
    result = judge("image.corrupt", layers=layers, clock=CLOCK, containers=of())
    assert [finding.subject.name for finding in result.findings] == names


def test_a_container_that_cannot_be_inspected_for_want_of_its_layer() -> None:
    why = "inspect: refused: HTTP 500: stat /var/lib/docker/overlay2/cfe1a255: no such file or directory"
    other = "inspect: refused: HTTP 500: context deadline exceeded"
    unread = (
        Unexamined(Subject("container", "web"), why),
        Unexamined(Subject("container", "slow"), other),
    )
    result = judge(
        "image.corrupt", layers=LayerFolders((), 5), clock=CLOCK, containers=Containers((), unread)
    )
    assert rows(result) == [("critical", "web")]


def test_links_of_layers_that_are_gone_are_one_finding() -> None:
    why = (
        "inspect: refused: HTTP 500: readlink /var/lib/docker/overlay2/l/VQIQYUUT636B: "
        "no such file or directory"
    )
    unread = tuple(Unexamined(Subject("container", name), why) for name in ("web", "db"))
    result = judge(
        "image.corrupt", layers=LayerFolders((), 5), clock=CLOCK, containers=Containers((), unread)
    )
    assert rows(result) == [("critical", "docker")]
    assert result.findings[0].variables["links"] == "/var/lib/docker/overlay2/l"


WEB = container("web")


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        pytest.param(
            ("base", "own-web"),
            [("critical", "docker")],
            id="layers of images: one finding for all",
        ),
        pytest.param(("own-web", "own-web-init"), [], id="a container's own alone"),
        pytest.param((), [], id="all there"),
    ],
)
def test_layers_that_were_deleted(lost: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    stored = Layers("/d/overlay2", 3, (), {WEB.id: "own-web"}, 5, lost)
    torn = (
        LayerFolders((("shop:1.4", "/d/overlay2/abc/link"),), 5)
        if expected
        else LayerFolders((), 5)
    )
    result = judge(
        "image.corrupt",
        layers=torn,
        stored=stored,
        info=Info(driver="overlay2"),
        clock=CLOCK,
        containers=of(WEB),
    )
    assert rows(result) == expected
    assert [finding.touches for finding in result.findings] == [(DAEMON, WEB.subject)] * len(
        expected
    )


def test_records_that_another_store_has_left_are_not_missed() -> None:
    stored = Layers("/d/overlay2", count=0, loose=(), writable={}, recorded=5, lost=("base",))
    result = judge(
        "image.corrupt",
        layers=LayerFolders((), 5),
        stored=stored,
        info=Info(driver="overlayfs"),
        clock=CLOCK,
        containers=of(),
    )
    assert result.verdict == "passed"


def test_layers_are_unknown_where_they_cannot_be_seen() -> None:
    assert (
        judge("image.corrupt", layers=OUT_OF_REACH, clock=CLOCK, containers=of()).verdict
        == "unknown"
    )


def test_layers_of_another_driver_are_not_judged() -> None:
    assert (
        judge("image.corrupt", layers=LayerFolders((), 0), clock=CLOCK, containers=of()).verdict
        == "skipped"
    )


def test_layers_that_only_root_may_enter() -> None:
    layers = LayerFolders((), 3, closed={"shop:1.4": 0o700})
    down = {"State": {"Status": "exited", "Pid": 0, "ExitCode": 127}}
    for parts, expected in ((down, [("critical", "shop:1.4")]), ({}, [])):
        users = Containers((container("web", **parts),))
        result = judge(
            "image.corrupt",
            layers=layers,
            info=Info(driver="overlay2"),
            clock=CLOCK,
            containers=users,
        )
        assert rows(result) == expected
