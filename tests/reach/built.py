"""The folder, built at most once for one state of the sources, whichever test and worker asks
first."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCES = (
    "diagnose",
    "checks",
    "runbooks",
    "fixtures/demo",
    ".ci/folder",
    ".ci/requirements.txt",
    "pyproject.toml",
    "LICENSE",
)


@functools.cache
def archive() -> Path:
    """`diagnose-VERSION-linux-MACHINE.tar.gz`; what it was packed from lies beside it, unpacked, as
    `diagnose`.

    It is kept in /var/tmp, which the boxes of the lab show as well, apart for each checkout of the
    sources.
    """
    checkout = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    kept = Path(f"/var/tmp/diagnose-folder-{os.getuid()}", checkout)
    kept.mkdir(mode=0o755, parents=True, exist_ok=True)
    place = kept / _state()
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            for older in kept.iterdir():
                if older.is_dir():
                    shutil.rmtree(older)
            made = build(kept / "unfinished")
            with tarfile.open(made) as packed:
                packed.extractall(made.parent, filter="tar")
            made.parent.rename(place)
    (made,) = place.glob("*.tar.gz")
    return made


def program() -> Path:
    """The launcher in the unpacked folder."""
    return archive().parent / "diagnose" / "diagnose"


def build(target: Path) -> Path:
    """Run the build script; AssertionError with what it says."""
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "folder", target],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def packages(target: Path) -> dict[str, Path]:
    """The deb and the rpm of the folder, made in target, by the ends of their names."""
    shutil.copy(archive(), target)
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "package", target],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return {path.suffix.lstrip("."): path for path in map(Path, done.stdout.split())}


def _state() -> str:
    """A hash of all that the folder is made from."""
    state = hashlib.sha256(sys.version.encode())
    for source in SOURCES:
        path = ROOT / source
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                state.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return state.hexdigest()[:16]
