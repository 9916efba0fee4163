"""Another host: a stand-in for ssh, and an archive whose tool prints what it is given."""

from __future__ import annotations

import gzip
import io
import os
import platform
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from diagnose.version import __version__
from tests import command_line

ROOT = Path(__file__).parent.parent.parent
MACHINE = platform.machine()
ARCHIVE = f"diagnose-{__version__}-linux-{MACHINE}.tar.gz"
SSH = """#!/bin/sh
[ "$1" != -G ] || exit 0
for command; do before=$host; host=$command; [ "$before" != -- ] || name=$host; done
[ -z "$name" ] || export REMOTE_HOST=$name
host=$before
case $before in
refuses) echo "ssh: connect to host $before port 22: Connection refused" >&2; exit 255 ;;
mute) exec sleep 100 ;;
babbling) exec yes "Welcome to $before" ;;
boundless) yes | tr -d '\\n'; exit ;;
noisy) echo "Welcome to $before"; echo "Last login: today" ;;
esac
export REMOTE_HOST="$before"
exec sh -c "$command"
"""
TOOL = """#!/bin/sh
case $REMOTE_HOST in
dies) sleep 1; kill -9 $PPID; exit 0 ;; # its shell has started what watches the connection
waits) echo $$ >"$PIDS"; sleep 100 & wait ;;
slow) sleep 1 ;;
esac
printf '%s\\n' "$0" "$@"
for word; do [ ! -f "$word" ] || cat "$word"; done
[ "$REMOTE_HOST" != face ] || echo "$COLUMNS columns, $TERM, color: ${FORCE_COLOR:-no}"
echo "said on stderr" >&2
case $REMOTE_HOST in bad) exit 2 ;; odd) exit 1 ;; unknown) exit 3 ;; esac
"""


class Elsewhere:
    """A stand-in for ssh in PATH, and an archive whose tool prints what it is given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before = _folders()
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.archive = folder / ARCHIVE
        self.program("ssh", SSH)
        with (
            gzip.open(self.archive, "wb") as stream,
            tarfile.open(fileobj=stream, mode="w") as packed,
        ):
            entry = tarfile.TarInfo("diagnose/diagnose")
            entry.mode, entry.size = 0o755, len(TOOL)
            packed.addfile(entry, io.BytesIO(TOOL.encode()))

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def start(self, *args: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "diagnose", *self._with_archive(args)],
            cwd=ROOT,
            env=self._environment(env),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *args: str, **env: str) -> tuple[int, str, str]:
        done = command_line.run(*self._with_archive(args), env=self._environment(env), cwd=ROOT)
        return done.returncode, done.stdout, done.stderr

    def _with_archive(self, args: Sequence[str]) -> list[str]:
        return [*args, "--folder", str(self.archive)]

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        pids = str(self.folder / "pids")
        return {**os.environ, "PATH": f"{self.bin}:/usr/bin:/bin", "PIDS": pids, **more}

    def left(self) -> list[Path]:
        """Folders that lie somewhere since this test began."""
        return sorted(_folders() - self.before)


def _folders() -> set[Path]:
    """All folders in which the tool is unpacked on this machine."""
    return {
        path
        for base in ("/dev/shm", "/run", "/tmp", "/var/tmp")
        for path in Path(base).glob("diagnose.[0-9]*.[0-9]*")
    }


def until(condition: object, seconds: float = 20) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
