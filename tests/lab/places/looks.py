"""Looks at a host in a box from a place, and what they left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.lab.box import PROJECT, Box
from tests.lab.engines import cache_dir, mirror
from tests.lab.places.hard_places import PLACES, Place

INSTALLED = f"env -C {PROJECT} PYTHONDONTWRITEBYTECODE=1 {sys.executable} -m diagnose"


LONG = bool(os.environ.get("DIAGNOSE_LAB_LONG"))


nightly = pytest.mark.skipif(
    not LONG, reason="DIAGNOSE_LAB_LONG is not set: left to the nightly run"
)


Cell = Callable[[str, str, str], None]


WATCHED = "/tmp /run /dev/shm /root /var/tmp /var/log /etc /srv /opt"
"""Where a tool would leave something, if it left anything."""


NOT_WATCHED = ("/run/docker/netns", "/opt/*/*", "/root/*/*/*", "/var/tmp/diagnose-folder-*")
"""Namespaces that the engine removes when it likes, what tests share with the machine, and what is
far down in a large HOME."""


_PRUNED = " -o ".join(f"-path '{path}'" for path in NOT_WATCHED)


FIND = f"find {WATCHED} -xdev \\( {_PRUNED} \\) -prune -o -print"


_IN_MEMORY = ("/tmp/", "/run/", "/dev/shm/")
"""Folders that a box has for itself."""


YARDSTICK = (
    f"{sys.executable} -I -c 'import click, email.message, http.client, inspect, rich.console'"
)
"""What a start is compared with, 0.13 s of processor time where a start takes 0.35 s: seconds alone
belong to the machine and to whoever works on it beside the test."""


STARTS = 3
"""The cheapest of so many counts: whoever works beside it makes a start dearer, never cheaper."""


class Live(NamedTuple):
    """What a run in a place came to."""

    code: int
    report: dict[str, Any]


@contextmanager
def state(box: Box, name: str) -> Iterator[None]:
    """The engine as the place wants it."""
    if name != "hung dockerd":
        yield
        return
    pid = box.engine_pid
    box.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        box.kill(pid, signal.SIGCONT)


def tree(box: Box) -> set[str]:
    """What is in the watched folders and is the box's own: whatever else is done on the machine
    shows through in the others."""
    paths = box.sh(FIND).splitlines()
    return {path for path in paths if path.startswith(_IN_MEMORY) or _is_of_the_box(box, path)}


def _is_of_the_box(box: Box, path: str) -> bool:
    return not os.path.lexists(path) and os.path.lexists(box.path(path))


def judgement(report: dict[str, Any]) -> dict[str, Any]:
    """Findings and verdicts, without what depends on the moment."""
    return {
        "findings": sorted((finding["key"], finding["severity"]) for finding in report["findings"]),
        "verdicts": {check["id"]: check["verdict"] for check in report["checks"]},
    }


def told_apart(ours: Live, reference: Live) -> list[str]:
    """The checks that come to another verdict in the place, with both reasons."""
    theirs = {check["id"]: check for check in reference.report["checks"]}
    return [
        f"{check['id']}: {check['verdict']} ({check['why']}), "
        f"installed {theirs[check['id']]['verdict']} ({theirs[check['id']]['why']})"
        for check in ours.report["checks"]
        if check["verdict"] != theirs[check["id"]]["verdict"]
    ]


def ids(report: dict[str, Any], family: str) -> set[tuple[str, str]]:
    return {
        (f["id"], f["subject"]["name"]) for f in report["findings"] if f["id"].startswith(family)
    }


def at(name: str, folder: str = "") -> Place:
    """The place of that name, with the folder in its own root; a skip where it cannot be made."""
    place = PLACES[name]
    if name == "musl root" and not shutil.which("musl-gcc"):
        pytest.skip("musl-gcc is missing (package musl-tools)")
    if name == "Debian 11 root":
        if not LONG:
            pytest.skip("DIAGNOSE_LAB_LONG is not set: left to the nightly run")
        place = Place(place.make.replace("@ARCHIVE@", str(debian_11())), place.root)
    if not place.root or not folder:
        return place
    put = f"mkdir -p {place.root}/opt/there && mount --bind /opt/there {place.root}/opt/there"
    return Place(f"{place.make}\n{put}", place.root, place.user)


def debian_11() -> Path:
    """The root, as an archive: made once on this machine, 140 MB."""
    kept = cache_dir() / "debian-11.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(".new.tar")
        command = ["mmdebstrap", "--variant=minbase", "--include=iptables,iproute2,procps"]
        done = subprocess.run(
            [*command, "bullseye", unfinished, mirror()], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"Debian 11 cannot be had: {done.stderr.strip().splitlines()[-1]}")
        unfinished.rename(kept)
    return kept
