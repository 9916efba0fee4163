"""The inotify watches of processes, as the kernel shows them in fdinfo."""

# A process may have thousands of descriptors, and pathlib triples their cost.
# ruff: noqa: PTH208

import os
import re
from collections.abc import Iterator

from diagnose.live import Live
from diagnose.live.kernel.proc_files import hides_files, target_of, text_of
from diagnose.model import Json
from diagnose.questions.processes import FindWatches

_WATCHED = re.compile(r"^inotify wd:\S+ ino:\S+ sdev:(?P<dev>[0-9a-f]+)", re.MULTILINE)
_MINOR_BITS = 20
"""The kernel's own device numbers, include/linux/kdev_t.h: userland's are laid out differently."""


def watches(_live: Live, question: FindWatches) -> Json:
    """The file systems on which processes have inotify watch files; those that watch none are left
    out.

    answer: processes [{pid, comm, devices: ["0:53"]}], unseen (pids whose descriptors may not be
    read). Source: inotify_fdinfo in the kernel's fs/notify/fdinfo.c.
    """
    rows: list[Json] = []
    unseen: list[Json] = []
    for pid in question.pids:
        try:
            devices = sorted(set(_devices(pid)))
        except OSError as error:
            if hides_files(pid, error):
                unseen.append(pid)
            continue
        if devices:
            comm = (text_of(f"/proc/{pid}/comm") or "").strip()
            rows.append({"pid": pid, "comm": comm, "devices": list[Json](devices)})
    return {"processes": rows, "unseen": unseen}


def _devices(pid: int) -> Iterator[str]:
    for number in os.listdir(f"/proc/{pid}/fd"):
        if target_of(f"/proc/{pid}/fd/{number}") != "anon_inode:inotify":
            continue
        for match in _WATCHED.finditer(text_of(f"/proc/{pid}/fdinfo/{number}") or ""):
            dev = int(match["dev"], 16)
            yield f"{dev >> _MINOR_BITS}:{dev & ((1 << _MINOR_BITS) - 1)}"
