"""The functions with which workers of the helper process read the crontabs of the host."""

import os
from collections.abc import Iterator

from diagnose.live.disk.opening import read_text
from diagnose.model import Json

_FOLDERS = ("/etc/cron.d", "/var/spool/cron/crontabs", "/var/spool/cron", "/etc/crontabs")
"""Of packages and of users: Debian, Red Hat, Alpine."""
_LONGEST = 1 << 16
"""Bytes of a crontab."""
_MOST = 100
"""Crontabs that are read."""


def cron_calls(_args: Json) -> Json:
    """See `cron.cron_calls`. A file that cannot be read has none."""
    from diagnose.live.disk.jobs.cron_lines import calls_with_terminal  # only in runs on a host

    calls: list[Json] = []
    for path, text in crontabs():
        if "docker" not in text:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            place: dict[str, Json] = {"path": path, "line": number}
            calls += [{**place, **call._asdict()} for call in calls_with_terminal(line)]
    return calls


def crontabs() -> Iterator[tuple[str, str]]:
    """The crontabs of the host, each once, with their texts; "" for one that cannot be read."""
    paths = ["/etc/crontab"]
    for folder in _FOLDERS:
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208 - called in each run
        except OSError:
            continue
        # copies of editors and of packages: most crons pass over names with a dot
        paths += [f"{folder}/{name}" for name in names if "." not in name]
    known_paths = set()
    for path in paths[:_MOST]:
        try:
            status = os.stat(path)  # noqa: PTH116 - called in each run
        except OSError:
            continue
        # one folder may be a link to another one
        if (status.st_dev, status.st_ino) not in known_paths:
            known_paths.add((status.st_dev, status.st_ino))
            yield path, text_of(path)


def closed_folders() -> list[Json]:
    """The folders of crontabs that this user may not list: their jobs are not known."""
    return [
        folder
        for folder in _FOLDERS
        if os.path.isdir(folder)  # noqa: PTH112 - called in each run
        and not os.access(folder, os.R_OK | os.X_OK, effective_ids=True)
    ]


def text_of(path: str) -> str:
    """The beginning of a file; "" where it cannot be read."""
    return read_text(path, _LONGEST) or ""
