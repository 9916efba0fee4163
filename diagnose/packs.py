"""Packs of checks: which packages hold checks and pages, found without importing any of them.

A pack is an importable package named by an entry point of the group `diagnose.checks`. Its modules
are families, its pages lie in a folder `runbooks` inside or beside it. The built-in pack `checks`
is the first user of this.
"""

import functools
import importlib.util
import os
import pkgutil
import sys
from pathlib import Path

GROUP = "diagnose.checks"
OURS = ["builtin", "=", "checks"]
"""What our own distribution declares under the group, word by word."""


@functools.cache
def packs() -> dict[str, str]:
    """The importable packages that hold checks, by entry-point name, the built-in one first."""
    modules: dict[str, str] = {}
    if _may_be_more():
        import importlib.metadata  # 30 ms, a tenth of a run

        modules = {
            point.name: point.value for point in importlib.metadata.entry_points(group=GROUP)
        }
    return {
        "builtin": "checks",
        **{name: value for name, value in sorted(modules.items()) if value != "checks"},
    }


def _may_be_more() -> bool:
    """Whether an installed distribution other than ours names the group.

    One that cannot be looked into may.

    A distribution's folder on the path ends in .dist-info or .egg-info and declares its entry
    points in a file of that name (the core metadata and entry points specifications of PyPA).
    """
    for entry in dict.fromkeys(sys.path):
        place = Path(entry or ".")
        if place.is_file():
            return True
        try:
            names = os.listdir(place)  # noqa: PTH208 - thousands of names: no path object for each
        except OSError:
            continue
        for name in names:
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            try:
                text = (place / name / "entry_points.txt").read_text(
                    encoding="utf-8", errors="replace"
                )
            except OSError:
                continue
            section = text.partition(f"[{GROUP}]")[2].partition("\n[")[0]
            if section and section.split() != OURS:
                return True
    return False


@functools.cache
def families() -> dict[str, tuple[str, ...]]:
    """The module names that make up each family, over all packs, without importing any of them."""
    modules: dict[str, tuple[str, ...]] = {}
    for package in packs().values():
        spec = importlib.util.find_spec(package)
        for module in pkgutil.iter_modules(spec.submodule_search_locations if spec else []):
            if not module.name.startswith("_"):
                modules[module.name] = (*modules.get(module.name, ()), f"{package}.{module.name}")
    return modules


@functools.cache
def page_folders() -> tuple[Path, ...]:
    """The folders that hold runbook pages.

    `runbooks` inside a pack (as installed) or beside it (in a checkout).
    """
    folders = []
    for package in packs().values():
        spec = importlib.util.find_spec(package)
        for location in (spec.submodule_search_locations if spec else None) or []:
            for folder in (Path(location) / "runbooks", Path(location).parent / "runbooks"):
                if folder.is_dir():
                    folders.append(folder)
                    break
    return tuple(folders)
