"""Folders that were meant where compose mounts another place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from diagnose.evidence.storage.volumes.namesake_folders import namesake_folders
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from tests.checks.container.evidence import CLOCK, NOW
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

LABEL = "com.docker.compose."
VOLUME = "/var/lib/docker/volumes/wiki_data/_data"
MADE = NOW - 600
OLD, NEW = MADE - 86400, MADE + 5
Files = Mapping[str, float]


def seen(
    source: str, folder: str, files: Files, age: float = NOW - MADE, image: str = "wiki:1"
) -> list[tuple[str, str]]:
    """What is found: kind and folder. files: by path, with the time of their last change. folder:
    of the compose project, "" without compose."""
    is_volume = "/volumes/" in source
    name = source.split("/")[5] if is_volume else ""
    mount = {"Type": "volume" if is_volume else "bind", "Name": name, "Source": source}
    labels = {f"{LABEL}project": "wiki", f"{LABEL}project.working_dir": folder} if folder else {}
    web = container(
        "web",
        Created=datetime.fromtimestamp(NOW - age, UTC).isoformat(),
        Mounts=[{**mount, "Destination": "/data", "RW": True}],
        Config={"Labels": labels, "Image": image},
    )

    def listing(question: AnyQuestion) -> Json:
        at = f"{question.args['path']}/"
        names = {path[len(at) :].split("/")[0] for path in files if path.startswith(at)}
        kind = "folder" if at in ("/home/", "/srv/", "/opt/") else "file"
        return {"entries": [{"name": name, "type": kind} for name in sorted(names)]}

    def stats(question: AnyQuestion) -> Json:
        paths = question.args["paths"]
        assert isinstance(paths, list)
        found: dict[str, Json] = {}
        for path in map(str, paths):
            if path in files:
                found[path] = {"type": "file", "mtime": files[path]}
            elif any(other.startswith(f"{path}/") for other in files):
                found[path] = {"type": "folder", "mtime": OLD}
            else:
                found[path] = {"failed": "missing"}
        return found

    host = Made({"file.list": listing, "file.stats": stats})
    namesakes = namesake_folders(host, of(web), CLOCK)
    result = judge("container.data-left-behind", namesakes=namesakes, clock=CLOCK)
    assert rows(result) == [("warning", "web")] * len(namesakes)
    return [(namesake.kind, namesake.folder) for namesake in namesakes]


@pytest.mark.parametrize(
    ("source", "folder", "files", "found"),
    [
        (VOLUME, "/srv/wiki", {f"{VOLUME}/a.db": NEW, "/srv/wiki/data/a.db": OLD}, [("volume", "/srv/wiki/data")]),
        (VOLUME, "/srv/wiki", {f"{VOLUME}/a.db": OLD, "/srv/wiki/data/a.db": OLD}, []),
        (VOLUME, "/srv/wiki", {f"{VOLUME}/a.db": NEW, "/srv/wiki/data/a.db": NEW + 5}, []),
        (VOLUME, "/srv/wiki", {f"{VOLUME}/a.db": NEW, "/srv/wiki/data/page": OLD}, []),
        (VOLUME, "/srv/wiki", {"/srv/wiki/data/a.db": OLD}, []),
        ("/root/photos", "/home/al/app", {"/home/al/photos/a.jpg": OLD}, [("home", "/home/al/photos")]),
        ("/root/photos", "/srv/app", {"/home/al/photos/a.jpg": OLD, "/home/bo/photos/b.jpg": OLD}, []),
        ("/config", "/srv/books", {"/srv/books/config/a.db": OLD}, [("variable", "/srv/books/config")]),
        ("/srv/config", "/srv/books", {"/srv/books/srv/config/a.db": OLD}, []),
        ("/srv/wiki/data", "/srv/wiki", {"/opt/wiki/data/a.db": OLD, "/srv/wiki/data/a.db": NEW}, [("project", "/opt/wiki/data")]),
        ("/srv/wiki/data", "/srv/wiki", {"/srv/wiki/data/a.db": NEW}, []),
    ],
)  # fmt: skip
def test_the_folder_that_was_meant(
    source: str, folder: str, files: Files, found: list[tuple[str, str]]
) -> None:
    assert seen(source, folder, files) == found
    assert seen(source, folder, files, age=30 * 86400) == []


def test_a_volume_of_docker_run() -> None:
    volume = "/var/lib/docker/volumes/config/_data"
    new = {f"{volume}/a.yml": NEW}
    meant = {**new, "/srv/wiki/config/a.yml": OLD}
    assert seen(volume, "", meant) == [("run", "/srv/wiki/config")]
    assert seen(volume, "", {**new, "/home/al/config/a.yml": OLD}) == [("run", "/home/al/config")]
    assert seen(volume, "", meant, image="postgres:16") == []
    assert seen(volume, "", {**meant, "/opt/other/config/a.yml": OLD}) == []
    assert seen(volume, "", {**new, "/srv/wiki/config/b.yml": OLD}) == []
    assert seen(volume, "", {**meant, f"{volume}/a.yml": OLD}) == []
