"""Data that a container had in another place until its mount was changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.storage.volumes.replaced_mounts import ReplacedMounts, replaced_mounts
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes, Volume
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from tests.checks.container.evidence import CLOCK, NOW
from tests.hosts import Made
from tests.inspected import container, of

HOUR = 3600.0
NAMES = ("db", "key", "plugins")
NEW, OLD, VOLUME = "/srv/shop/new", "/srv/shop/data", "/var/lib/docker/volumes/shop_data/_data"
FOLDERS = {"/srv/shop": ("new", "data"), NEW: NAMES, OLD: NAMES}
AGES = {NEW: HOUR - 5, OLD: HOUR + 20}
"""Seconds since the last change of each entry; the container was made an hour ago."""


def _shop(source: str = NEW, *more: Mapping[str, Any], folder: str = "/srv/shop") -> Container:
    mount = {"Type": "bind", "Source": source, "Destination": "/data", "RW": True}
    made = datetime.fromtimestamp(NOW - HOUR, UTC).isoformat()
    labels = {
        "com.docker.compose.project": "shop",
        "com.docker.compose.project.working_dir": folder,
    }
    return container("shop", Created=made, Mounts=[mount, *more], Config={"Labels": labels})


def _found(
    *containers: Container,
    folders: Mapping[str, tuple[str, ...]] = FOLDERS,
    ages: Mapping[str, float] = AGES,
    labels: Mapping[str, str] | None = None,
) -> ReplacedMounts:
    def listing(question: AnyQuestion) -> Json:
        names = folders.get(str(question.args["path"]), ())
        return {"entries": [{"name": name, "type": "folder"} for name in names]}

    def stats(question: AnyQuestion) -> Json:
        paths = [str(path) for path in question.args["paths"]]
        age = {path: ages[path.rpartition("/")[0]] for path in paths}
        return {path: {"type": "file", "mtime": NOW - age[path]} for path in paths}

    unused = UnusedVolumes((Volume("shop_data", "local", VOLUME, "", dict(labels or {})),))
    host = Made({"file.list": listing, "file.stats": stats})
    result = replaced_mounts(host, of(*containers), unused, CLOCK)
    assert isinstance(result, ReplacedMounts)
    return result


IN_VOLUME = {"/srv/shop": ("new",), NEW: NAMES, VOLUME: NAMES}
TWO = {**FOLDERS, VOLUME: NAMES}
PLACES: dict[str, tuple[Mapping[str, tuple[str, ...]], Mapping[str, float], list[str]]] = {
    "a folder beside it": (FOLDERS, AGES, [OLD]),
    "an unused volume": (IN_VOLUME, {NEW: HOUR - 5, VOLUME: HOUR + 20}, ["shop_data"]),
    "two places": (TWO, {**AGES, VOLUME: HOUR + 30}, []),
    "data that was taken along": (FOLDERS, {**AGES, NEW: HOUR + 90}, []),
    "data that was left a day before": (FOLDERS, {**AGES, OLD: 25 * HOUR}, []),
    "a copy of the new data": (FOLDERS, {**AGES, OLD: HOUR - 6}, []),
    "a copy with its times": (FOLDERS, {**AGES, OLD: HOUR - 5}, []),
    "other data": ({**FOLDERS, OLD: ("a", "b", "c")}, AGES, []),
    "too little to tell": ({**FOLDERS, NEW: ("db",), OLD: ("db",)}, AGES, []),
}


@pytest.mark.parametrize(("folders", "ages", "expected"), PLACES.values(), ids=PLACES)
def test_place(
    folders: Mapping[str, tuple[str, ...]], ages: Mapping[str, float], expected: list[str]
) -> None:
    assert [replaced.former for replaced in _found(_shop(), folders=folders, ages=ages)] == expected


def test_a_folder_that_another_container_mounts() -> None:
    assert not _found(_shop(), _shop(OLD)).items
    assert not _found(_shop(folder="")).items


@pytest.mark.parametrize(("project", "is_found"), [("shop", True), ("blog", False)])
def test_a_volume_of_another_project(project: str, is_found: bool) -> None:
    """A renamed project is found by its volumes' own names."""
    labels = {"com.docker.compose.project": project}
    ages = {NEW: HOUR - 5, VOLUME: HOUR + 20}
    assert bool(_found(_shop(), folders=IN_VOLUME, ages=ages, labels=labels).items) is is_found


def test_a_mount_within_it_does_not_count() -> None:
    """Where another folder is mounted in it, that entry may be as old as it likes."""
    inner = {"Type": "bind", "Source": "/srv/x", "Destination": "/data/plugins", "RW": True}
    (replaced,) = _found(_shop(NEW, inner))
    assert (replaced.former, replaced.is_folder, replaced.entries) == (OLD, True, NAMES)
