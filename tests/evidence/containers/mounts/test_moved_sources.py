"""What lies beside a missing source of a mount, under its name with another ending."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.mounts.bind_mounts import BindSources
from diagnose.evidence.containers.mounts.moved_sources import moved_sources
from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from diagnose.questions.files import PathStatus
from tests.hosts import Made
from tests.inspected import container, of

CONF, FOLDER = "/srv/shop/app.conf", "/srv/shop/secrets"
PASSWORD = f"{FOLDER}/password"
MISSING = {CONF: PathStatus(failed="missing")}
EMPTY = {CONF: PathStatus(type="folder")}
THERE = {CONF: PathStatus(type="file")}
LINKED = container(
    "api",
    State={
        "Status": "exited",
        "Pid": 0,
        "ExitCode": 128,
        "Error": f"error while creating mount source path '{PASSWORD}': mkdir /srv/shop/secrets: "
        "file exists",
    },
)
Found = dict[str, tuple[str, str]]
CASES: dict[str, tuple[dict[str, PathStatus], list[str], Found]] = {
    "moved aside": (MISSING, ["app.conf.old"], {CONF: (CONF, f"{CONF}.old")}),
    "moved, and a folder made": (EMPTY, ["app.conf", "app.conf~"], {CONF: (CONF, f"{CONF}~")}),
    "with a date": (MISSING, ["app.conf.2026-11-28"], {CONF: (CONF, f"{CONF}.2026-11-28")}),
    "one of two": (MISSING, ["app.conf.old", "app.conf.bak"], {}),
    "an example": (MISSING, ["app.conf.example"], {}),
    "another file": (MISSING, ["app.config", "db.conf.old"], {}),
    "it is there": (THERE, ["app.conf", "app.conf.old"], {}),
}


def host(names: list[str], *absent: str, within: tuple[str, ...] = ()) -> Made:
    """A host whose folder /srv/shop holds these names.

    What is a source there is a folder, which holds the names `within`. Of other folders nothing is
    known.
    """

    def listing(question: AnyQuestion) -> Json | Failed:
        shown = {"/srv/shop": names, CONF: within, FOLDER: within}.get(question.args["path"])
        if shown is None:
            return Failed("missing")
        return {"entries": [{"name": name, "type": "file"} for name in shown], "truncated": False}

    def statuses(question: AnyQuestion) -> Json:
        return {path: status(path) for path in question.args["paths"]}

    def status(path: str) -> Json:
        if path in absent or (path in (CONF, FOLDER) and path.rpartition("/")[2] not in names):
            return {"failed": "missing"}
        return {"type": "folder" if path in (CONF, FOLDER) else "file"}

    return Made({"file.list": listing, "file.stats": statuses})


@pytest.mark.parametrize(("sources", "names", "expected"), CASES.values(), ids=CASES)
def test_moved_sources(sources: dict[str, PathStatus], names: list[str], expected: Found) -> None:
    found = moved_sources(host(names), of(), BindSources(sources)).by_source
    assert {source: (moved.place, moved.moved) for source, moved in found.items()} == expected


@pytest.mark.parametrize("has_file", [True, False])
def test_a_folder_behind_a_link_to_nothing(has_file: bool) -> None:
    moved = f"{FOLDER}.old"
    absent = [FOLDER] if has_file else [FOLDER, f"{moved}/password"]
    found = moved_sources(host(["secrets", "secrets.old"], *absent), of(LINKED), BindSources({}))
    expected = {"place": FOLDER, "displaced": moved} if has_file else {}
    assert found.variables_of(PASSWORD) == expected


def test_a_folder_that_holds_something_is_left_there() -> None:
    """The source of the mount is missing in it, and lies in a neighbour: it is not a link."""
    lacking = BindSources({PASSWORD: PathStatus(failed="missing")})
    for within, expected in (((), f"{FOLDER}.old"), (("other",), "")):
        listed = host(["secrets", "secrets.old"], within=within)
        assert moved_sources(listed, of(), lacking).variables_of(PASSWORD).get("displaced", "") == (
            expected
        )


@pytest.mark.parametrize("below", ["", "/keys"])
def test_what_another_container_mounts_was_not_moved_aside(below: str) -> None:
    source = f"{CONF}.2{below}"
    mounted = [{"Type": "bind", "Source": source, "Destination": "/etc/app", "RW": True}]
    other = container("second", Mounts=mounted)
    listed = host(["app.conf.2"])
    assert moved_sources(listed, of(), BindSources(MISSING)).by_source
    assert not moved_sources(listed, of(other), BindSources(MISSING)).by_source


def test_missing_sources_come_before_folders() -> None:
    folders = {f"/srv/{number}/data": PathStatus(type="folder") for number in range(20)}
    found = moved_sources(host(["app.conf.old"]), of(), BindSources({**folders, **MISSING}))
    assert list(found.by_source) == [CONF]
