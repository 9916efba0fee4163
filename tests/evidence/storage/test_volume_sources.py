"""The folders of volumes that are bind mounts, and where a missing one was moved."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.volumes.volume_sources import (
    BoundVolumes,
    VolumeSources,
    volume_sources,
)
from diagnose.model import Failed, Json
from diagnose.questions import Question
from diagnose.questions.files import ListFolder, StatPaths
from tests.checks.swarm.evidence import CLOCK
from tests.hosts import Made
from tests.inspected import container, of

OPTIONS = Options()
GONE = "/volumes/pgdata"
MOUNT = {"Type": "volume", "Name": "db", "Source": "/v/db/_data", "Destination": "/data"}


def _host(folders: Mapping[str, list[str]]) -> Made:
    """A host with these folders and the names of what is in each; each name is a folder's."""

    def listed(question: Question[object]) -> Json | Failed:
        assert isinstance(question, ListFolder)
        names = folders.get(question.path)
        if names is None:
            return Failed("missing", question.path)
        return {"entries": [{"name": name, "type": "folder"} for name in names]}

    def stats(question: Question[object]) -> Json:
        assert isinstance(question, StatPaths)
        missing = {"failed": "missing"}
        return {path: {"type": "folder"} if path in folders else missing for path in question.paths}

    return Made({"file.list": listed, "file.stats": stats})


MOVED = {
    "into one beside it": (
        {"/volumes": ["data", "logs"], "/volumes/data/pgdata": ["base"]},
        "/volumes/data/pgdata",
    ),
    "with the folder above it": ({"/srv": ["b"], "/srv/b/pgdata": ["base"]}, "/srv/b/pgdata"),
    "no: the folder above it is still there": (
        {"/srv/a": [], "/srv": ["a", "b"], "/srv/b/pgdata": ["base"]},
        "",
    ),
    "empty there": ({"/volumes": ["data"], "/volumes/data/pgdata": []}, ""),
    "two of that name": (
        {"/volumes": ["a", "b"], "/volumes/a/pgdata": ["base"], "/volumes/b/pgdata": ["base"]},
        "",
    ),
    "nowhere": ({"/volumes": ["data"]}, ""),
}


@pytest.mark.parametrize(("folders", "expected"), MOVED.values(), ids=MOVED)
def test_where_it_was_moved(folders: dict[str, list[str]], expected: str) -> None:
    device = "/srv/a/pgdata" if "/srv" in folders else GONE
    found = volume_sources(
        _host(folders),
        BoundVolumes({"db": device}),
        of(container("pg", Mounts=[MOUNT])),
        None,
        CLOCK,
        OPTIONS,
    )
    assert isinstance(found, VolumeSources)
    assert [source.moved_to for source in found.missing] == [expected]


def test_a_volume_that_was_never_mounted_has_not_moved_to_its_neighbours_folder() -> None:
    """A second stack, copied from the first, whose folder was forgotten; the first is down."""
    fresh = container("pg", Mounts=[MOUNT], State={"Status": "created", "StartedAt": ""})
    found = volume_sources(
        _host({"/srv": ["b"], "/srv/b/pgdata": ["base"]}),
        BoundVolumes({"db": "/srv/a/pgdata"}),
        of(fresh),
        None,
        CLOCK,
        OPTIONS,
    )
    assert isinstance(found, VolumeSources)
    assert [source.moved_to for source in found.missing] == [""]


@pytest.mark.parametrize(
    "source", ["/volumes/data/pgdata", "/volumes/data", "/volumes/data/pgdata/base"]
)
def test_the_folder_of_another_container_is_none(source: str) -> None:
    folders = {"/volumes": ["data"], "/volumes/data/pgdata": ["base"]}
    other = {"Type": "bind", "Source": source, "Destination": "/data"}
    containers = of(container("pg", Mounts=[MOUNT]), container("other", Mounts=[other]))
    found = volume_sources(
        _host(folders), BoundVolumes({"db": GONE}), containers, None, CLOCK, OPTIONS
    )
    assert isinstance(found, VolumeSources)
    assert [source.moved_to for source in found.missing] == [""]


def test_a_container_that_sees_the_whole_disk_has_no_folder_of_its_own() -> None:
    folders = {"/volumes": ["data"], "/volumes/data/pgdata": ["base"]}
    watcher = {"Type": "bind", "Source": "/", "Destination": "/host", "RW": False}
    containers = of(container("pg", Mounts=[MOUNT]), container("watcher", Mounts=[watcher]))
    found = volume_sources(
        _host(folders), BoundVolumes({"db": GONE}), containers, None, CLOCK, OPTIONS
    )
    assert isinstance(found, VolumeSources)
    assert [source.moved_to for source in found.missing] == ["/volumes/data/pgdata"]


MEANT = {
    "in the folder of the project": ({"/srv/shop/db": []}, "./db", "/srv/shop/db"),
    "above it": ({"/srv/db": []}, "../db", "/srv/db"),
    "not there": ({"/srv": ["shop"]}, "db", ""),
}


@pytest.mark.parametrize(("folders", "device", "expected"), MEANT.values(), ids=MEANT)
def test_a_relative_path(folders: dict[str, list[str]], device: str, expected: str) -> None:
    labels = {
        "com.docker.compose.project": "shop",
        "com.docker.compose.project.working_dir": "/srv/shop",
    }
    found = volume_sources(
        _host(folders),
        BoundVolumes({"db": device}),
        of(container("pg", Mounts=[MOUNT], Config={"Labels": labels})),
        None,
        CLOCK,
        OPTIONS,
    )
    assert isinstance(found, VolumeSources)
    assert [(source.meant, source.place) for source in found.missing] == [(expected, "/db")]
