"""The finder of the tool's own modules finds what Python's finders find, and nothing that is out of
date."""

from __future__ import annotations

import importlib
import json
import os
import py_compile
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType

import pytest

from diagnose.own_modules import BytecodeFinder
from tests.readme import ROOT

NAME = "made_package"
EACH_MODULE = """
import json, sys
from diagnose import own_modules
if sys.argv[1] == "quick":
    own_modules.find_quickly()
from diagnose import registry
registry.load()
told = {}
for name, module in sys.modules.items():
    if name.startswith(("diagnose.", "checks")) and name != "diagnose.own_modules":
        spec = module.__spec__
        told[name] = [module.__file__, module.__cached__, module.__package__, spec.origin,
            spec.submodule_search_locations, spec.has_location, module.__doc__,
            spec.loader.get_source(name) is not None]
json.dump(told, sys.stdout)
"""
ONE_MODULE = """
from diagnose import own_modules
own_modules.find_quickly()
from diagnose import phrases
print(type(phrases.__loader__).__name__)
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with a module `room.thing`, found by the finder where that can."""
    folder = tmp_path / NAME / "room"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "__init__.py").write_text("IS_ROOM = True\n")
    (folder / "thing.py").write_text("NUMBER = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [BytecodeFinder(frozenset({NAME})), *sys.meta_path])
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


def imported() -> ModuleType:
    return importlib.import_module(f"{NAME}.room.thing")


def loader_of(module: ModuleType) -> str:
    return type(module.__loader__).__name__


def test_a_module_with_bytecode_is_found_quickly(made: Path) -> None:
    for source in ("__init__.py", "thing.py"):
        py_compile.compile(str(made / source), doraise=True)
    module = imported()
    assert module.NUMBER == 1
    assert loader_of(module) == "_ReadLoader"
    assert module.__file__ == str(made / "thing.py")
    assert loader_of(sys.modules[f"{NAME}.room"]) == "_ReadLoader"
    assert sys.modules[f"{NAME}.room"].IS_ROOM
    assert list(sys.modules[f"{NAME}.room"].__path__) == [str(made)]
    assert importlib.reload(module).NUMBER == 1


def test_a_source_that_was_changed_counts(made: Path) -> None:
    source = made / "thing.py"
    py_compile.compile(str(source), doraise=True)
    source.write_text("NUMBER = 22\n")
    assert imported().NUMBER == 22


def test_a_source_of_another_time_counts(made: Path) -> None:
    source = made / "thing.py"
    py_compile.compile(str(source), doraise=True)
    source.write_text("NUMBER = 2\n")
    os.utime(source, (1e9, 1e9))
    assert imported().NUMBER == 2


@pytest.mark.parametrize("damage", [b"", b"\x00" * 40, None])
def test_bytecode_that_is_damaged_or_of_another_kind_is_not_read(
    made: Path, damage: bytes | None
) -> None:
    source = made / "thing.py"
    bytecode = Path(cache_from_source(str(source)))
    py_compile.compile(str(source), doraise=True)
    if damage is None:  # it ends in the middle of the code
        bytecode.write_bytes(bytecode.read_bytes()[:-8])
        finder = BytecodeFinder(frozenset({NAME}))
        assert finder.find_spec(f"{NAME}.room.thing", [str(made)]) is None
        return
    bytecode.write_bytes(damage)
    module = imported()
    assert module.NUMBER == 1
    assert loader_of(module) == "SourceFileLoader"


def test_bytecode_that_goes_by_a_hash_is_left_to_python(made: Path) -> None:
    source = made / "thing.py"
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), doraise=True, invalidation_mode=mode)
    assert loader_of(imported()) == "SourceFileLoader"


def test_other_packages_are_not_looked_for(made: Path) -> None:
    py_compile.compile(str(made / "thing.py"), doraise=True)
    finder = BytecodeFinder(frozenset({"another"}))
    assert finder.find_spec(f"{NAME}.room.thing", [str(made)]) is None
    assert BytecodeFinder(frozenset({NAME})).find_spec(NAME, None) is None


def test_each_module_of_the_tool_is_found_as_python_finds_it() -> None:
    found = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", EACH_MODULE, how],
                cwd=ROOT,
                capture_output=True,
                check=True,
                text=True,
            ).stdout
        )
        for how in ("as usual", "quick")
    ]
    assert len(found[0]) > 500
    assert found[0] == found[1]


def test_bytecode_that_lies_apart_from_its_source_is_found(tmp_path: Path) -> None:
    """As where the source is mounted read-only."""
    usual = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    apart = {**usual, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    command = [sys.executable, "-c", ONE_MODULE]
    loaders = [
        subprocess.run(command, cwd=ROOT, env=apart, capture_output=True, check=True, text=True)
        for _ in range(2)
    ]
    assert [run.stdout.strip() for run in loaders] == ["SourceFileLoader", "_ReadLoader"]
