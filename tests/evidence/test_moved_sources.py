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

CONF, PASSWORD = "/srv/shop/app.conf", "/srv/shop/secrets/password"
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


def host(names: list[str], *absent: str) -> Made:
    """A host whose folder /srv/shop holds these names; of other folders nothing is known."""

    def listing(question: AnyQuestion) -> Json | Failed:
        if question.args["path"] != "/srv/shop":
            return Failed("missing")
        return {"entries": [{"name": name, "type": "file"} for name in names], "truncated": False}

    def statuses(question: AnyQuestion) -> Json:
        return {
            path: {"failed": "missing"} if path in absent else {"type": "file"}
            for path in question.args["paths"]
        }

    return Made({"file.list": listing, "file.stats": statuses})


@pytest.mark.parametrize(("sources", "names", "expected"), CASES.values(), ids=CASES)
def test_moved_sources(sources: dict[str, PathStatus], names: list[str], expected: Found) -> None:
    found = moved_sources(host(names), of(), BindSources(sources)).by_source
    assert {source: (item.place, item.moved) for source, item in found.items()} == expected


@pytest.mark.parametrize("has_file", [True, False])
def test_a_folder_behind_a_link_to_nothing(has_file: bool) -> None:
    folder = "/srv/shop/secrets"
    absent = () if has_file else (f"{folder}.old/password",)
    found = moved_sources(host(["secrets", "secrets.old"], *absent), of(LINKED), BindSources({}))
    place, moved = folder, f"{folder}.old"
    expected = {"place": place, "displaced": moved} if has_file else {}
    assert found.variables_of(PASSWORD) == expected
