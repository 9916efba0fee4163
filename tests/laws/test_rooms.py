"""The laws about rooms: each is on a map, and each map is true."""

import ast
import re
from pathlib import Path

import pytest

import diagnose
from tests.laws.house import ROOT


def test_the_map_of_the_house_names_each_room():
    """The docstring of the package: a package is written with a slash, a module without one."""
    rooms = {
        f"{path.name}/" if path.is_dir() else path.stem
        for path in (ROOT / "diagnose").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__", "__main__"}
    assert diagnose.__doc__
    heads = re.findall(r"^- `([\w/]+)`", diagnose.__doc__, re.MULTILINE)
    assert rooms - set(re.findall(r"`([\w/]+)`", diagnose.__doc__)) == set()
    assert set(heads) - rooms == set()


LISTED_WHOLE = (
    "first_steps",
    "fleet",
    "follow",
    "judgement",
    "model",
    "reach",
    "recording",
    "repair",
    "ticket",
)
"""Rooms whose docstring names each module."""


def _modules_of(room: Path) -> set[str]:
    """The modules and rooms of a room, and what else it has, such as a script."""
    return {
        path.stem if path.suffix == ".py" else path.name
        for path in room.iterdir()
        if path.stem not in ("__init__", "__pycache__")
    }


def _names_in_list(room: Path) -> set[str]:
    text = ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or ""
    heads = re.findall(r"^- `([\w/.]+)`", text, re.MULTILINE)
    return {name.strip("/").partition("/")[0] for name in heads}


def test_a_room_lists_modules_that_it_has():
    rooms = [path.parent for path in (ROOT / "diagnose").glob("*/**/__init__.py")]
    gone = {room: _names_in_list(room) - _modules_of(room) for room in rooms}
    assert {room: names for room, names in gone.items() if names} == {}


@pytest.mark.parametrize("room", LISTED_WHOLE)
def test_a_room_with_a_list_lists_all(room: str):
    folder = ROOT / "diagnose" / room
    named = set(re.findall(r"`([\w/.]+)`", (folder / "__init__.py").read_text()))
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules - named == set()


def test_a_room_names_its_rooms():
    """With a slash, in its docstring: a newcomer goes from map to map."""
    inits = [path for root in ("diagnose", "checks") for path in (ROOT / root).rglob("__init__.py")]
    assert len(inits) > 50
    silent = {init.parent: names for init in inits if (names := _unnamed_rooms(init.parent))}
    assert silent == {}


def _unnamed_rooms(room: Path) -> set[str]:
    text = ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or ""
    rooms = {path.parent.name for path in room.glob("*/__init__.py")}
    return {name for name in rooms if f"`{name}/`" not in text}
