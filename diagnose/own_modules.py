"""Finds the tool's own modules by their bytecode.

A run imports 1,300 of them. Python's finder lists each folder, tries five endings for each name,
and looks at the source twice: a sixth of what all imports take. Here a module is its bytecode, if
that is of this source and this Python. Whatever else there is, Python's own finders find.
"""

import marshal
import os
import struct
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source
from types import CodeType, ModuleType

OURS = frozenset({"diagnose", "checks"})
_PACKAGE = "__init__"
_ROOT = sys.pycache_prefix or ""
"""Of the folders with bytecode, where it lies apart from its source."""
_BELOW = "/" if _ROOT else "/__pycache__/"
_ENDING = cache_from_source("x.py").rpartition("/x")[2]
"""Of a file of bytecode: that of this Python."""
_HEAD = struct.Struct("<4sIII")
"""How a file of bytecode begins: Python's number, 0 for one that goes by the source's time, that
time, and the source's length (PEP 552)."""
_MOST_BYTES = 1 << 16
"""Twice what our largest module has; what is cut off is not bytecode, and Python's finder reads it.
"""
_LOW_32_BITS = (1 << 32) - 1


class _ReadLoader(SourceFileLoader):
    """Has the code of its module already, for one import of it."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code: CodeType | None = code

    def get_code(self, fullname: str) -> CodeType | None:
        code = self._code
        self._code = None
        return super().get_code(fullname) if code is None else code


class BytecodeFinder:
    """A finder for `sys.meta_path`, for modules inside some packages."""

    def __init__(self, packages: frozenset[str] = OURS) -> None:
        self._packages = packages

    def find_spec(
        self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of this name in a folder of its package; None where another finder has to
        look."""
        if path is None or len(path) != 1 or name.partition(".")[0] not in self._packages:
            return None
        (folder,) = path
        last = name.rpartition(".")[2]
        return _spec(name, folder, last) or _spec(name, f"{folder}/{last}", _PACKAGE)


def _spec(name: str, folder: str, stem: str) -> ModuleSpec | None:
    """The module of the source `stem` in this folder, if its bytecode is up to date."""
    source = f"{folder}/{stem}.py"
    bytecode = f"{_ROOT}{folder}{_BELOW}{stem}{_ENDING}"
    try:
        data = _content(bytecode)
        status = os.stat(source)  # noqa: PTH116 - hundreds of times in each run
        time = int(status.st_mtime) & _LOW_32_BITS
        length = status.st_size & _LOW_32_BITS
        if _HEAD.unpack_from(data) != (MAGIC_NUMBER, 0, time, length):
            return None
        code = marshal.loads(memoryview(data)[_HEAD.size :])  # noqa: S302 - as Python's own loader
    except (OSError, EOFError, ValueError, TypeError, struct.error):
        return None
    spec = ModuleSpec(name, _ReadLoader(name, source, code), origin=source)
    spec.has_location = True
    spec.cached = bytecode
    if stem == _PACKAGE:
        spec.submodule_search_locations = [folder]
    return spec


def _content(path: str) -> bytes:
    """The content of a file of bytecode; a third less time than with a file object."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)
    return data


def find_quickly() -> None:
    """Have this finder asked first from now on."""
    if not any(isinstance(finder, BytecodeFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, BytecodeFinder())
