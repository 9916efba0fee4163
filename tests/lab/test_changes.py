"""What was changed before a container began to fail: a real package, real files, a real network."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from .box import Box
from .conftest import unfit
from .packages import install

pytestmark = [pytest.mark.skipif(bool(unfit()), reason=str(unfit())), pytest.mark.timeout(300)]

PROGRAM = "grep -q good /etc/app.conf || { echo starting; sleep 1; exit 3; }; sleep 1000"
MOUNTS = ("-v", "/srv/shop/app.conf:/etc/app.conf", "-v", "/srv/shop/conf.d:/etc/shop/conf.d")


@pytest.fixture(scope="module", params=["28.5", "20.10"])
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    """A host whose container fails since its file was written, after an upgrade of packages."""
    with Box(request.param) as box:
        box.start_engine()
        box.image("bb:1.36")
        box.sh(
            "mkdir -p /srv/shop/conf.d; echo good > /srv/shop/app.conf; "
            "echo a > /srv/shop/conf.d/a.conf; touch -d '2 days ago' /srv/shop/conf.d/a.conf"
        )
        options = ("-d", "--name=shop", "--restart=unless-stopped", *MOUNTS)
        box.docker("run", *options, "bb:1.36", "sh", "-c", PROGRAM)
        install(box, "crun-lab", "1:1.0-1", "1:1.1-1")
        box.sh("echo spoiled > /srv/shop/app.conf")
        box.docker("restart", "-t", "0", "shop")
        yield box


def test_package_and_file_stand_below_the_failure(box: Box) -> None:
    deadline = time.monotonic() + 60
    while box.inspect("shop")["RestartCount"] < 4:
        assert time.monotonic() < deadline, "the container does not loop"
        time.sleep(0.5)
    report = box.diagnose("all", "--format", "json").report
    (finding,) = [f for f in report["findings"] if f["id"] == "container.restart-loop"]
    assert [change["text"] for change in finding["changed_before"]] == [
        "/srv/shop/app.conf (mounted at /etc/app.conf)",
        "package crun-lab 1.0 to 1.1",
    ]
    shown = box.diagnose("all").out
    assert "changed recently: /srv/shop/app.conf (mounted at /etc/app.conf)" in shown


def test_the_timeline_has_them_in_order(box: Box) -> None:
    lines = box.diagnose("timeline").out.splitlines()
    places = [
        next(number for number, line in enumerate(lines) if text in line)
        for text in ("package crun-lab 1.0 to 1.1", "/srv/shop/app.conf", "shop kill")
    ]
    assert places == sorted(places)
