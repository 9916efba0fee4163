"""Removes what runs that were killed left on the machine: only boxes whose maker is gone, by their
own markers."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

RUN_DIR = Path("/run/diagnose-lab")
CGROUP_PREFIX = "diagnose-lab-"


def sweep() -> list[str]:
    """Remove leftovers of boxes whose maker no longer lives; returns their ids."""
    removed = []
    for state in sorted(RUN_DIR.glob("[!.]*")):
        owner = state / "owner"
        try:
            pid, started = owner.read_text().split()
        except OSError:
            continue
        if start_time(int(pid)) == started:
            continue
        thaw(state.name)
        remove_cgroups(state.name)
        remove_state(state)
        removed.append(state.name)
    return removed


def start_time(pid: int) -> str | None:
    """A process's start time in clock ticks, which with its pid names it for good; None when it is
    gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except OSError:
        return None


def thaw(box_id: str) -> None:
    """Let paused containers of the box go on: under cgroup v1 a frozen process cannot even be
    killed."""
    for root in _cgroup_roots(box_id):
        for folder, _, _ in os.walk(root):  # control groups may go meanwhile: glob raises then
            # the hierarchy's own root has no such state to write, and others have none at all
            with suppress(OSError):
                Path(folder, "freezer.state").write_text("THAWED")


def remove_cgroups(box_id: str) -> None:
    """Remove the box's cgroups in every hierarchy.

    Processes that are just ending get a moment; what is still in them then (a command entered from
    outside, whose maker was killed) is killed.
    """
    patience, deadline = time.monotonic() + 1, time.monotonic() + 10
    for root in _cgroup_roots(box_id):
        while root.exists():
            for folder, _, _ in os.walk(root, topdown=False):
                with suppress(OSError):
                    os.rmdir(folder)
            if time.monotonic() > deadline:
                raise RuntimeError(f"{root} still holds processes")
            if time.monotonic() > patience:
                _kill_all(root)
            time.sleep(0.02)


def _kill_all(root: Path) -> None:
    for folder, _, _ in os.walk(root):
        with suppress(OSError):
            for pid in Path(folder, "cgroup.procs").read_text().split():
                os.kill(int(pid), signal.SIGKILL)


def _cgroup_roots(box_id: str) -> list[Path]:
    name = CGROUP_PREFIX + box_id
    base = Path("/sys/fs/cgroup")
    return [
        p for p in (base / name, *(d / name for d in base.iterdir() if d.is_dir())) if p.exists()
    ]


def remove_state(state: Path) -> None:
    """Remove a box's own folder, and its data directory if it had one on the machine's disk."""
    marker = state / "data-dir"
    if marker.exists():
        shutil.rmtree(marker.read_text(), ignore_errors=True)
    shutil.rmtree(state, ignore_errors=True)
