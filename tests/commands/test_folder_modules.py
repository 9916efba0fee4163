"""The modules of a folder are those that Python's own list has."""

from __future__ import annotations

import pkgutil
import zipfile
from pathlib import Path

import checks
from diagnose.folder_modules import modules_in


def test_the_modules_are_those_that_pkgutil_lists() -> None:
    folders = [
        str(path.parent) for root in checks.__path__ for path in Path(root).rglob("__init__.py")
    ]
    assert len(folders) > 10
    for folder in folders:
        listed = [(found.name, found.ispkg) for found in pkgutil.iter_modules([folder])]
        assert sorted(modules_in([folder])) == sorted(listed), folder


def test_an_archive_is_left_to_pkgutil(tmp_path: Path) -> None:
    pack = tmp_path / "pack.zip"
    with zipfile.ZipFile(pack, "w") as archive:
        archive.writestr("extra.py", "")
        archive.writestr("room/__init__.py", "")
    assert list(modules_in([str(pack)])) == [("extra", False), ("room", True)]
    assert list(modules_in([str(tmp_path / "missing")])) == []
