"""The programs that keep the logins of a docker command: are they there, and can they work?

No helper is run: its answers are secrets.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from diagnose.live.disk import program_formats
from diagnose.live.engine import password_store
from diagnose.model import Json

_PROGRAMS = (
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/snap/bin",
    "/opt/google-cloud-sdk/bin",
    "/usr/lib/google-cloud-sdk/bin",
    "/usr/local/google-cloud-sdk/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "~/bin",
    "~/.local/bin",
    "~/google-cloud-sdk/bin",
)
"""Folders that a login shell often has in PATH, and a run from cron does not."""
_PASS = "pass"  # noqa: S105 - a program's name
_OWN_PROGRAMS = {_PASS: "pass"}
"""What a credential helper runs itself (docker-credential-helpers)."""


def state(helpers: Collection[str], home: Path) -> dict[str, Json]:
    """What keeps these helpers of a user from their work, as fields of `ClientSettings`.

    helpers: the ends of their programs' names. home: that user's.
    """
    programs = {name: _program(f"docker-credential-{name}", home) for name in helpers}
    absent = sorted(name for name, path in programs.items() if path is None)
    store = _PASS if programs.get(_PASS) and _program(_PASS, home) else ""
    return {
        "absent": absent,
        "not_executable": dict(_not_executable(absent, home)),
        "lacking": [
            [name, program]
            for name, program in _OWN_PROGRAMS.items()
            if programs.get(name) and not _program(program, home)
        ],
        "broken": list(_broken(programs)),
        "unread_store": password_store.trouble(home) if store else None,
    }


def on_path(program: str) -> str | None:
    """The path of a program in a folder of PATH, as `shutil.which` gives it.

    The import of shutil takes 2 ms of every run, for the formats of archives.
    """
    paths = [f"{folder}/{program}" for folder in os.get_exec_path()]
    return next((path for path in paths if os.access(path, os.X_OK) and Path(path).is_file()), None)


def _program(name: str, home: Path) -> Path | None:
    """A program where the docker command and its helpers may find it; None without one."""
    return next((path for path in _places_of(name, home) if os.access(path, os.X_OK)), None)


def _not_executable(helpers: Iterable[str], home: Path) -> Iterator[tuple[str, str]]:
    """Helpers whose program is there and may not be executed, with its path."""
    for helper in helpers:
        for path in _places_of(f"docker-credential-{helper}", home):
            if path.is_file():
                yield helper, str(path)
                break


def _broken(programs: dict[str, Path | None]) -> Iterator[Json]:
    """Helpers whose program the kernel refuses, though it may be executed."""
    for helper, path in sorted(programs.items()):
        refusal = program_formats.refusal(path) if path is not None else None
        if refusal is not None:
            kind, detail = refusal
            yield {"helper": helper, "path": str(path), "kind": kind, "detail": detail}


def _places_of(program: str, home: Path) -> Iterator[Path]:
    """Where the docker command and its helpers look for a program."""
    for folder in (*os.environ.get("PATH", "").split(os.pathsep), *_PROGRAMS):
        if folder:
            yield Path(folder.replace("~", str(home), 1)) / program
