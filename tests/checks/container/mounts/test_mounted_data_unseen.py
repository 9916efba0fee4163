"""container.mounted-data-unseen: links that lead out of a mount, and mounts over files."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.mounts.unseen_data import unseen_data
from diagnose.model import Json
from diagnose.programs.telling_line import TellingLine
from diagnose.questions import AnyQuestion
from tests.checks.container.evidence import container_in
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

MEDIA = ("/srv/media", "/media")
Links = dict[str, str]


def seen(
    mounts: list[tuple[str, str]],
    links: Links,
    folders: dict[str, list[str]],
    line: str = "",
    *,
    rw: bool = True,
) -> Any:
    """The page variables of a container with these mounts. links: by path, where they lead;
    folders: what lies in them, by path; line: an error that its program repeats."""

    def listing(question: AnyQuestion) -> Json:
        path = str(question.args["path"])
        entries = [
            {"name": link.rpartition("/")[2], "type": "link"}
            for link in links
            if link.rpartition("/")[0] == path
        ]
        return {"entries": entries + [{"name": n, "type": "file"} for n in folders.get(path, ())]}

    def stats(question: AnyQuestion) -> Json:
        paths = question.args["paths"]
        assert isinstance(paths, list)
        found: dict[str, Json] = {}
        for path in map(str, paths):
            if path in links:
                found[path] = {"type": "link", "link": links[path]}
            else:
                found[path] = {"type": "folder"} if path in folders else {"failed": "missing"}
        return found

    binds = [
        {"Type": "bind", "Source": source, "Destination": inside, "RW": rw}
        for source, inside in mounts
    ]
    host = Made({"file.list": listing, "file.stats": stats})
    web = container_in("running", Mounts=binds)
    data = unseen_data(host, of(web))
    errors = RepeatedErrors((RepeatedError(web, TellingLine(line), 4, 12),) if line else ())
    result = judge("container.mounted-data-unseen", unseen_data=data, repeated_errors=errors)
    severity = "warning" if line and links["/srv/media/films"] and "films" in line else "advice"
    assert rows(result) == [(severity, "web")] * len(data)
    return [finding.variables for finding in result.findings]


DISK = {"/mnt/disk/films": ["a.mkv"]}
HTML = [("/srv/html", "/html"), ("/srv/data", "/html/data")]


@pytest.mark.parametrize(
    ("mounts", "links", "folders", "number"),
    [
        ([MEDIA], {"/srv/media/films": "/mnt/disk/films"}, DISK, 1),
        ([MEDIA], {"/srv/media/films": "../../mnt/disk/films"}, DISK, 1),
        ([MEDIA], {"/srv/media/films": "/mnt/disk/gone"}, DISK, 0),
        ([MEDIA, ("/mnt/disk", "/mnt/disk")], {"/srv/media/films": "/mnt/disk/films"}, DISK, 0),
        ([MEDIA], {"/srv/media/films": "2026"}, {"/srv/media/2026": []}, 0),
        ([MEDIA], {"/srv/media/zones": "/usr/share/zoneinfo"}, {"/usr/share/zoneinfo": []}, 0),
        (HTML, {}, {"/srv/html/data": ["alice"]}, 1),
        (HTML, {}, {"/srv/html/data": ["alice"], "/srv/data": ["bob"]}, 0),
        (HTML, {}, {"/srv/html/data": [".gitkeep"]}, 0),
        (HTML[:1], {}, {"/srv/html/data": ["alice"]}, 0),
    ],
)
def test_files_that_the_container_does_not_see(
    mounts: list[tuple[str, str]], links: Links, folders: dict[str, list[str]], number: int
) -> None:
    assert len(seen(mounts, links, folders)) == number


TWO = {"/srv/media/films": "/mnt/nas/a/films", "/srv/media/tv": "/mnt/nas/b/tv"}
BOTH: dict[str, list[str]] = {"/mnt/nas/a/films": [], "/mnt/nas/b/tv": []}


@pytest.mark.parametrize("line", ["Could not find file '/media/films'.", "timeout of the tuner"])
def test_an_error_about_the_link_makes_it_a_warning(line: str) -> None:
    (variables,) = seen([MEDIA], TWO, BOTH, line)
    assert variables["linked"] == "/mnt/nas:/mnt/nas"


def test_links_to_several_disks_have_no_common_folder() -> None:
    links = {"/srv/media/films": "/mnt/a/films", "/srv/media/tv": "/mnt/b/tv"}
    (variables,) = seen([MEDIA], links, {"/mnt/a/films": [], "/mnt/b/tv": []})
    assert variables["linked"] == "/mnt/a/films:/mnt/a/films"


def test_a_home_folder_is_not_mounted_as_a_whole() -> None:
    links = {"/srv/media/films": "/home/eve/films", "/srv/media/tv": "/home/eve/tv"}
    (variables,) = seen([MEDIA], links, {"/home/eve/films": [], "/home/eve/tv": []})
    assert variables["linked"] == "/home/eve/films:/home/eve/films"


def test_a_read_only_mount_gets_no_right_to_write() -> None:
    (variables,) = seen([MEDIA], {"/srv/media/films": "/mnt/disk/films"}, DISK, rw=False)
    assert variables["linked"] == "/mnt/disk/films:/mnt/disk/films:ro"


def test_the_folder_is_mounted_where_the_link_leads() -> None:
    (variables,) = seen([MEDIA], {"/srv/media/films": "/mnt/disk/films"}, DISK)
    assert variables["linked"] == "/mnt/disk/films:/mnt/disk/films"
