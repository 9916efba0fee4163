"""The programs that keep the logins of a docker command: are they there, and can they work?

No helper is run: its answers are secrets.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
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
    "/nix/var/nix/profiles/default/bin",
    "/run/current-system/sw/bin",
    "~/bin",
    "~/.local/bin",
    "~/.docker/bin",
    "~/.rd/bin",
    "~/.nix-profile/bin",
    "~/.asdf/shims",
    "~/go/bin",
    "~/google-cloud-sdk/bin",
)
"""Folders that a login shell often has in PATH, and a run from cron does not."""
_PARENTS = 6
"""Between the tool and sudo stand a shell and a watcher at most."""
_PASS = "pass"  # noqa: S105 - a program's name
_OWN_PROGRAMS = {_PASS: "pass"}
"""What a credential helper runs itself (docker-credential-helpers)."""


def state_of(helpers: Collection[str], home: Path, search: str) -> dict[str, Json]:
    """The obstacles of these credential helpers of a user, as fields of `ClientSettings`.

    helpers: the ends of their programs' names. home, search: that user's, and PATH.
    """
    folders = [
        Path(folder.replace("~", str(home), 1))
        for folder in (*search.split(os.pathsep), *_PROGRAMS)
        if folder
    ]
    programs = {name: _program(f"docker-credential-{name}", folders) for name in helpers}
    absent = sorted(name for name, path in programs.items() if path is None)
    store = _PASS if programs.get(_PASS) and _program(_PASS, folders) else ""
    return {
        "absent": absent,
        "not_executable": dict(_not_executable(absent, folders)),
        "lacking": [
            [name, program]
            for name, program in _OWN_PROGRAMS.items()
            if programs.get(name) and not _program(program, folders)
        ],
        "broken": list(_broken_helpers(programs)),
        "unread_store": password_store.trouble(home) if store else None,
    }


def on_path(program: str) -> str | None:
    """The path of a program in a folder of PATH, as `shutil.which` gives it.

    The import of shutil takes 2 ms of every run, for the formats of archives.
    """
    paths = [f"{folder}/{program}" for folder in os.get_exec_path()]
    return next((path for path in paths if os.access(path, os.X_OK) and Path(path).is_file()), None)


def path_of_caller() -> str:
    """PATH of the user who called sudo, whose environment sudo itself still has; "" without it."""
    pid = os.getppid()
    for _ in range(_PARENTS):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            variables = Path(f"/proc/{pid}/environ").read_text(errors="replace").split("\0")
        except OSError:
            return ""
        if status.startswith("Name:\tsudo\n"):
            paths = (line.removeprefix("PATH=") for line in variables if line.startswith("PATH="))
            return next(paths, "")
        pid = int(status.partition("\nPPid:\t")[2].partition("\n")[0] or 0)
    return ""


def _program(name: str, folders: Iterable[Path]) -> Path | None:
    """A program where the docker command and its helpers may find it; None without one."""
    paths = (folder / name for folder in folders)
    return next((path for path in paths if os.access(path, os.X_OK)), None)


def _not_executable(helpers: Iterable[str], folders: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Helpers whose program is there and may not be executed, with its path."""
    for helper in helpers:
        for folder in folders:
            path = folder / f"docker-credential-{helper}"
            if path.is_file():
                yield helper, str(path)
                break


def _broken_helpers(programs: dict[str, Path | None]) -> Iterator[Json]:
    """Helpers whose program the kernel refuses, though it may be executed."""
    for helper, path in sorted(programs.items()):
        refusal = program_formats.refusal(path) if path is not None else None
        if refusal is not None:
            yield {
                "helper": helper,
                "path": str(path),
                "kind": refusal.kind,
                "detail": refusal.detail,
            }
