"""The check in checks/image/pull_stalled.py, and the evidence for it."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.images.downloads import Download, Downloads, downloads
from diagnose.live import Live
from diagnose.live.kernel import open_files
from diagnose.model import Failed
from diagnose.questions.images import ListDownloads
from tests.checks.daemon.evidence import ALIVE, daemon
from tests.checks.image.evidence import CLOCK, NOW
from tests.hosts import Made
from tests.judging import judge, rows

PATH = "/var/lib/docker/tmp/GetImageBlob1234"
HALF = {"pid": 69, "path": PATH, "bytes": 512, "position": 512, "mtime": NOW - 300}
JUDGED: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "nothing for five minutes": (HALF, [("warning", "docker")]),
    "not one byte": ({**HALF, "bytes": 0, "position": 0}, [("warning", "docker")]),
    "whole, and not unpacked yet": ({**HALF, "position": 0}, []),
    "being unpacked": ({**HALF, "position": 100}, []),
    "a minute": ({**HALF, "mtime": NOW - 60}, []),
}


@pytest.mark.parametrize(("row", "expected"), JUDGED.values(), ids=JUDGED)
def test_a_pull_without_progress(row: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    found = downloads(Made({"image.downloads": [row]}), ALIVE, CLOCK)
    assert rows(judge("image.pull-stalled", daemon=ALIVE, downloads=found)) == expected


def test_nobody_is_asked_without_an_engine() -> None:
    made = Made({})
    assert downloads(made, daemon(), CLOCK) == Downloads(())
    assert not made.asked


def test_descriptors_that_may_not_be_seen() -> None:
    made = Made({"image.downloads": Failed("forbidden", "")})
    found = downloads(made, ALIVE, CLOCK)
    assert judge("image.pull-stalled", daemon=ALIVE, downloads=found).verdict == "unknown"


UNSEEN = {
    "on another host": daemon(same_host=False, silence=None),
    "in a container without the host's processes": daemon(silence=None),
}


@pytest.mark.parametrize("engine", UNSEEN.values(), ids=UNSEEN)
def test_an_engine_whose_files_cannot_be_seen_is_no_pass(engine: Daemon) -> None:
    found = downloads(Made({}), engine, CLOCK)
    assert judge("image.pull-stalled", daemon=engine, downloads=found).verdict == "unknown"


def test_podman_pulls_elsewhere() -> None:
    podman = daemon(silence=None, is_podman=True)
    result = judge("image.pull-stalled", daemon=podman, downloads=Downloads(()))
    assert result.verdict == "skipped"


def test_what_a_process_has_open(tmp_path: Any) -> None:
    import os

    folder = tmp_path / "tmp"
    folder.mkdir()
    with (folder / "GetImageBlob77").open("wb") as file, (folder / "other").open("wb"):
        file.write(b"x" * 10)
        file.flush()
        rows = open_files.downloads(Live(), ListDownloads([os.getpid()]))
    (row,) = ListDownloads.decode(rows)
    assert isinstance(row, Download)
    assert (row.path, row.bytes, row.position) == (str(folder / "GetImageBlob77"), 10, 10)
