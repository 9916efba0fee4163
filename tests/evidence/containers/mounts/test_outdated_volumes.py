"""Volumes against the images of their containers."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.data.names_with_hash import former_names
from diagnose.evidence.containers.mounts.data.outdated_volumes import (
    OutdatedVolumes,
    outdated_volumes,
)
from diagnose.evidence.engine.info import Ping
from diagnose.model import Failed, Unavailable
from tests.hosts import Made
from tests.inspected import container, of

SOURCE = "/var/lib/docker/volumes/pages/_data"
TOP, BASE = "/var/lib/docker/overlay2/top", "/var/lib/docker/overlay2/base"
CREATED = 1_700_000_000.0
MOUNT = {
    "Type": "volume",
    "Name": "pages",
    "Source": SOURCE,
    "Destination": "/www",
    "Driver": "local",
}
WEB = container("web", Image="sha256:1", Mounts=[MOUNT])
OLD = {"type": "file", "size": 5, "mtime": CREATED - 9000}
NEW = {"type": "file", "size": 7, "mtime": CREATED + 9000}


def _host(files: dict[str, Any], folders: dict[str, list[tuple[str, str]]], **volume: Any) -> Made:
    """A host with these files, and the entries of folders with their kind."""
    listed = {
        path: {"entries": [{"name": name, "type": kind} for name, kind in entries]}
        for path, entries in folders.items()
    }
    status = {**{path: {"type": "folder"} for path in folders}, **files}
    created = {"Name": "pages", "CreatedAt": "2023-11-14T22:13:20Z", **volume}
    graph = {"Name": "overlay2", "Data": {"UpperDir": f"{TOP}/diff", "LowerDir": f"{BASE}/diff"}}
    return Made(
        {
            "api.volumes": {"Volumes": [created]},
            "api.image": {"Id": "sha256:1", "GraphDriver": graph},
            "file.stats": lambda question: {
                path: status.get(path, {"failed": "missing"}) for path in question.args["paths"]
            },
            "file.list": lambda question: listed.get(question.args["path"], Failed("missing", "")),
        }
    )


def _found(
    host: Made, version: str = "28.5.2", app: Container = WEB
) -> OutdatedVolumes | Unavailable:
    return outdated_volumes(host, of(app), Ping("1.51", version, ""))


PAGES = {f"{TOP}/diff/www": [("index.html", "file")], f"{BASE}/diff/www": [("index.html", "file")]}
KEPT: dict[str, tuple[dict[str, Any], list[str]]] = {
    "older than the image's": ({"old": OLD, "new": NEW}, ["index.html"]),
    "of the same size": ({"old": OLD, "new": {**NEW, "size": 5}}, []),
    "newer than the image's": ({"old": OLD, "new": {**NEW, "mtime": CREATED - 9999}}, []),
    "written since the volume was made": ({"old": {**OLD, "mtime": CREATED + 5}, "new": NEW}, []),
    "a link": ({"old": {**OLD, "type": "link"}, "new": NEW}, []),
    "not in the volume": ({"new": NEW}, []),
}


@pytest.mark.parametrize(("pair", "expected"), KEPT.values(), ids=KEPT)
def test_a_file_of_a_volume(pair: dict[str, Any], expected: list[str]) -> None:
    paths = {"old": f"{SOURCE}/index.html", "new": f"{TOP}/diff/www/index.html"}
    files = {paths[name]: status for name, status in pair.items()}
    found = _found(_host({**files, f"{BASE}/diff/www/index.html": OLD}, PAGES))
    assert isinstance(found, OutdatedVolumes)
    assert [name for volume in found for name in volume.files] == expected


def test_a_file_one_folder_below_and_one_that_a_layer_removes() -> None:
    folders = {
        f"{TOP}/diff/www": [("css", "folder"), ("gone.html", "other")],
        f"{BASE}/diff/www": [("css", "folder"), ("gone.html", "file")],
        f"{BASE}/diff/www/css": [("site.css", "file")],
    }
    files = {
        f"{SOURCE}/css": {"type": "folder"},
        f"{SOURCE}/css/site.css": OLD,
        f"{BASE}/diff/www/css/site.css": NEW,
        f"{SOURCE}/gone.html": OLD,
        f"{BASE}/diff/www/gone.html": NEW,
    }
    found = _found(_host(files, folders))
    assert isinstance(found, OutdatedVolumes)
    assert [volume.files for volume in found] == [("css/site.css",)]


BUNDLES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "another hash": ("main.a1b2c3d4.js", OLD, ["dist/js/main.e5f6a7b8.js"]),
    "the same file": ("main.e5f6a7b8.js", OLD, []),
    "another file": ("common.a1b2c3d4.js", OLD, []),
    "built in the volume": ("main.a1b2c3d4.js", {**OLD, "mtime": CREATED + 5}, []),
    "newer than the image's": ("main.a1b2c3d4.js", {**OLD, "mtime": CREATED - 300}, []),
    "a link": ("main.a1b2c3d4.js", {**OLD, "type": "link"}, []),
}


@pytest.mark.parametrize(("kept", "status", "expected"), BUNDLES.values(), ids=BUNDLES)
def test_a_file_that_is_named_after_its_content(
    kept: str, status: dict[str, Any], expected: list[str]
) -> None:
    folders = {
        f"{TOP}/diff/www": [("dist", "folder")],
        f"{TOP}/diff/www/dist": [("js", "folder")],
        f"{TOP}/diff/www/dist/js": [("main.e5f6a7b8.js", "file")],
        f"{SOURCE}/dist": [("js", "folder")],
        f"{SOURCE}/dist/js": [(kept, "file")],
    }
    fresh = {**OLD, "mtime": CREATED - 8000}
    files = {f"{SOURCE}/dist/js/{kept}": status, f"{TOP}/diff/www/dist/js/main.e5f6a7b8.js": fresh}
    found = _found(_host(files, folders))
    assert isinstance(found, OutdatedVolumes)
    assert [name for volume in found for name in volume.renamed] == expected


NAMES: dict[str, tuple[list[str], list[str], dict[str, str]]] = {
    "hexadecimal": (["a.0123456789ab.css"], ["a.ba9876543210.css"], {"a.0123456789ab.css": "a.ba9876543210.css"}),
    "eight characters": (["index-B7x2Kp_q.js"], ["index-C8y3Lr-s.js"], {"index-B7x2Kp_q.js": "index-C8y3Lr-s.js"}),
    "words": (["icon-settings.svg"], ["icon-profiles.svg"], {}),
    "two of a kind": (["a.01234567.js"], ["a.12345678.js", "a.23456789.js"], {}),
    "in both": (["a.01234567.js", "a.12345678.js"], ["a.12345678.js"], {}),
    "another ending": (["a.01234567.js"], ["a.12345678.css"], {}),
}  # fmt: skip


@pytest.mark.parametrize(("fresh", "kept", "expected"), NAMES.values(), ids=NAMES)
def test_names_with_a_hash(fresh: list[str], kept: list[str], expected: dict[str, str]) -> None:
    assert former_names(fresh, kept) == expected


LINKS = {"of the volume": f"{SOURCE}/css", "of the image": f"{TOP}/diff/www"}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_a_link_of_a_container_is_not_followed(link: str) -> None:
    folders = {
        f"{TOP}/diff/www": [],
        f"{TOP}/diff/www/pages": [("css", "folder")],
        f"{TOP}/diff/www/pages/css": [("a", "file")],
        f"{SOURCE}/css": [],
    }
    files = {f"{SOURCE}/css/a": OLD, f"{TOP}/diff/www/pages/css/a": NEW}
    app = container("web", Image="sha256:1", Mounts=[{**MOUNT, "Destination": "/www/pages"}])
    for changed, expected in (({}, 1), ({link: {"type": "link"}}, 0)):
        found = _found(_host({**files, **changed}, folders), app=app)
        assert isinstance(found, OutdatedVolumes)
        assert len(found.items) == expected


def test_a_folder_below_a_link_of_a_newer_layer_is_not_entered() -> None:
    folders = {
        f"{TOP}/diff/www": [("css", "link")],
        f"{BASE}/diff/www": [("css", "folder")],
        f"{BASE}/diff/www/css": [("a", "file")],
    }
    kept = {f"{SOURCE}/css": {"type": "folder"}, f"{SOURCE}/css/a": OLD}
    files = {**kept, f"{BASE}/diff/www/css/a": NEW}
    found = _found(_host(files, folders))
    assert isinstance(found, OutdatedVolumes)
    assert not list(found)


FILES = {f"{SOURCE}/index.html": OLD, f"{TOP}/diff/www/index.html": NEW}


def test_the_date_of_a_volume_on_an_old_engine_says_nothing() -> None:
    assert _found(_host(FILES, PAGES), "20.10.24") == OutdatedVolumes()


def test_a_volume_with_options_is_no_copy() -> None:
    assert _found(_host(FILES, PAGES, Options={"type": "nfs"})) == OutdatedVolumes()


def test_layers_that_may_not_be_entered_are_not_judged() -> None:
    host = _host(FILES, PAGES)
    host.answers = {
        **host.answers,
        "file.stats": lambda question: {
            path: {"failed": "forbidden"} for path in question.args["paths"]
        },
    }
    found = _found(host)
    assert isinstance(found, Unavailable)
    assert found.reason == "forbidden"


ABSENT = {
    "a package that the volume lacks": ("/app/node_modules", [("a", "folder")], ("b",)),
    "all of them": ("/app/node_modules", [("a", "folder"), ("b", "folder")], ()),
    "a folder of another kind": ("/app/pages", [("a", "folder")], ()),
    "an empty volume": ("/app/node_modules", [], ()),
}


@pytest.mark.parametrize(("target", "kept", "expected"), ABSENT.values(), ids=ABSENT)
def test_packages(target: str, kept: list[tuple[str, str]], expected: tuple[str, ...]) -> None:
    own = f"{TOP}/diff{target}"
    folders = {
        f"{TOP}/diff/app": [], own: [("a", "folder"), ("b", "folder")], f"{own}/a": [], f"{own}/b": [],
        SOURCE: kept,
    }  # fmt: skip
    app = container("web", Image="sha256:1", Mounts=[{**MOUNT, "Destination": target}])
    found = _found(_host({}, folders), app=app)
    assert isinstance(found, OutdatedVolumes)
    assert [volume.absent for volume in found] == ([expected] if expected else [])
