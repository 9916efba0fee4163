"""Where images have a module that a program does not find."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.programs.other_modules import OtherModule, other_modules
from diagnose.model import Failed, Json
from tests.checks.container.evidence import failed_with_log
from tests.hosts import Made
from tests.inspected import of

LAYER = "/layers/1/diff"
PYTHON = "ModuleNotFoundError: No module named 'pyprind'"
NODE = "Error: Cannot find module 'express'"
IMPORT = "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'express' imported from /srv/index.js"
PERL = "Can't locate DBI/Pool.pm in @INC (you may need to install the DBI::Pool module)"
R = "Error in library(shinythemes) : there is no package called ‘shinythemes’"
SITE = "/usr/local/lib/python3.11/site-packages"


def image(*paths: str, home_mode: int = 0o755, hidden: bool = False) -> Made:
    """An image of one layer, with these folders and files, and all folders above them.

    hidden: a mount is before them, so that the container does not have them.
    """
    above = {path[:end] for path in paths for end, mark in enumerate(path) if mark == "/"} | {""}
    files = {*paths, *above}

    def kind(path: str) -> str:
        return "file" if "." in path.rpartition("/")[2] and path not in above else "folder"

    def statuses(question: Any) -> Json:
        return {
            path: {"type": kind(path.removeprefix(LAYER))}
            if path.removeprefix(LAYER) in files
            else {"failed": "missing"}
            for path in question.paths
        }

    def listed(question: Any) -> Json:
        below = f"{question.path.removeprefix(LAYER)}/"
        names = {path.removeprefix(below).partition("/")[0] for path in files if below in path}
        return {"entries": [{"name": name, "type": "folder"} for name in sorted(names)]}

    def seen(question: Any) -> Json:
        if question.path not in files or (hidden and question.path in paths):
            return Failed("gone", "")
        mode = home_mode if question.path == "/root" else 0o755
        return {"type": "directory", "mode": mode, "uid": 0, "gid": 0}

    return Made(
        {
            "api.image": {
                "Id": "sha256:1",
                "GraphDriver": {"Name": "overlay2", "Data": {"UpperDir": LAYER}},
            },
            "file.stats": statuses,
            "file.list": listed,
            "api.archive": seen,
        }
    )


def found_in(host: Made, line: str, **config: Any) -> OtherModule | None:
    container, log_tails = failed_with_log(line, **config)
    return other_modules(host, of(container), log_tails, None).of(container)


PLACES = {
    "the other Python": (PYTHON, f"{SITE}/pyprind", f"PYTHONPATH={SITE}"),
    "a module of one file": (PYTHON, f"{SITE}/pyprind.py", f"PYTHONPATH={SITE}"),
    "Debian's Python": (
        PYTHON,
        "/usr/lib/python3/dist-packages/pyprind",
        "PYTHONPATH=/usr/lib/python3/dist-packages",
    ),
    "a part of the program": (
        "ModuleNotFoundError: No module named 'app.core'",
        "/usr/src/app/app/core.py",
        "PYTHONPATH=/usr/src/app",
    ),
    "a compiled module": (PYTHON, f"{SITE}/pyprind/_speed.cpython-311.so", ""),
    "npm install --global": (
        NODE,
        "/usr/local/lib/node_modules/express",
        "NODE_PATH=/usr/local/lib/node_modules",
    ),
    "an import heeds no variable": (IMPORT, "/usr/local/lib/node_modules/express", ""),
    "Perl": (PERL, "/usr/share/perl5/DBI/Pool.pm", "PERL5LIB=/usr/share/perl5"),
    "R": (R, "/usr/lib/R/site-library/shinythemes", "R_LIBS=/usr/lib/R/site-library"),
}


@pytest.mark.parametrize(("line", "path", "assignment"), PLACES.values(), ids=PLACES)
def test_a_module_elsewhere(line: str, path: str, assignment: str) -> None:
    found = found_in(image(path), line)
    assert found is not None
    assert found.assignment == assignment
    assert found.folder in path
    assert found.module in found.clause


NOWHERE = {
    "another module": (PYTHON, f"{SITE}/pyprinds"),
    "no place for modules": (PYTHON, "/data/old/pyprind"),
    "a file of the program": ("Error: Cannot find module './express'", "/app/node_modules/express"),
    "no language is known": ("module 'cjson' not found:", "/usr/share/perl5/cjson.pm"),
}


@pytest.mark.parametrize(("line", "path"), NOWHERE.values(), ids=NOWHERE)
def test_a_module_that_is_nowhere(line: str, path: str) -> None:
    assert found_in(image(path), line) is None


def test_a_module_behind_a_mount() -> None:
    assert found_in(image(f"{SITE}/pyprind", hidden=True), PYTHON) is None


@pytest.mark.parametrize(("mode", "is_open"), [(0o700, False), (0o755, True)])
def test_the_home_of_another_user(mode: int, *, is_open: bool) -> None:
    host = image("/root/.local/lib/python3.12/site-packages/pyprind", home_mode=mode)
    found = found_in(host, PYTHON, user="1000")
    assert found is not None
    assert found.is_open is is_open
    assert ("assignment" in found.steps) is is_open
    assert ("dockerfile" in found.steps) is not is_open


def test_an_image_that_is_not_known() -> None:
    assert (
        found_in(Made({"api.image": Failed("gone", ""), "api.archive": Failed("gone", "")}), R)
        is None
    )
