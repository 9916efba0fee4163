"""Archives as tar writes them, and some that it never would."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from diagnose.recording import source
from diagnose.recording.answer_files import RecordingError
from tests.tickets import DATA

REAL = (DATA / "fifteen-faults-28.5.2.tar.gz").read_bytes()
PLAIN = gzip.decompress(REAL)
TOP = "diagnose-host"


def forged_files(args: Any = None, answer: Any = None) -> dict[str, bytes]:
    row = {
        "args": args if args is not None else {},
        "answer": answer or {"wall": 1.8e9, "boot_wall": 1.7e9},
    }
    return {"answers/now.json": json.dumps([row]).encode()}


def sealed(files: dict[str, bytes], **head: Any) -> dict[str, bytes]:
    """The files with a manifest that knows them."""
    listed = {name: {"sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()}
    return {**files, "manifest.json": json.dumps({"format": 1, "files": listed, **head}).encode()}


def packed(
    files: dict[str, bytes], *more: tarfile.TarInfo, form: int = tarfile.USTAR_FORMAT
) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=form) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{TOP}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in more:
            tar.addfile(info, io.BytesIO(b"x" * info.size))
    return out.getvalue()


def member(
    name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = ""
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


GOOD = sealed(forged_files())


def refused(data: bytes, tmp_path: Path) -> str:
    path = tmp_path / "in.tar.gz"
    path.write_bytes(data)
    with pytest.raises(RecordingError) as raised:
        source.read(path)
    return str(raised.value)
