"""Running a system's own command: an argument list, never a shell.

An absolute path; bounded in time and output.
"""

import os
import subprocess
from pathlib import Path

import msgspec

from diagnose.live import Refused

FOLDERS = (
    "/usr/bin",
    "/usr/sbin",
    "/bin",
    "/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/run/current-system/sw/bin",
)
OUTPUT_MAX = 16 << 20


class Done(msgspec.Struct, frozen=True):
    """The exit status and output of a command."""

    code: int
    """Its exit status."""
    stdout: str
    stderr: str


def find(name: str) -> str:
    """The absolute path of a system command; PATH is not asked.

    Refused("missing") if it is not installed.
    """
    for folder in FOLDERS:
        path = Path(folder, name)
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    raise Refused("missing", f"{name} is not installed")


def run(argv: list[str], seconds: float, *, beside: str = "") -> Done:
    """Run it to its end, or kill it.

    beside: a folder that its PATH begins with.

    Refused("timed out") when it is silent too long: it is then not waited for, since it may be
    stuck in the kernel.
    """
    folders = (beside, *FOLDERS) if beside else FOLDERS
    environment = {"LC_ALL": "C", "PATH": ":".join(folders), "SYSTEMD_COLORS": "0"}
    child = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd="/",
        start_new_session=True,
    )
    try:
        out, err = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        raise Refused(
            "timed out", f"{' '.join(argv[:2])} did not end within {seconds:.1f} s"
        ) from None
    return Done(
        child.returncode,
        out[:OUTPUT_MAX].decode("utf-8", "replace"),
        err[:OUTPUT_MAX].decode("utf-8", "replace"),
    )
