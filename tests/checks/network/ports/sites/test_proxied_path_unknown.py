"""The check network.proxied-path-unknown."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.network.proxies.nginx.configurations import HopFile
from diagnose.evidence.network.proxies.nginx.hops import hops
from diagnose.evidence.network.proxies.nginx.misplaced_paths import MisplacedPath, MisplacedPaths
from diagnose.nginx_text import read
from tests.checks.network.evidence import container
from tests.judging import judge

API, EDGE = container("api"), container("edge")
MOUNTED = HopFile("/etc/nginx/nginx.conf", is_read_only=True, on_host="/srv/edge.conf")
OWN = HopFile("/etc/nginx/nginx.conf", is_read_only=False, on_host="")
PLACES: dict[str, tuple[str, str, HopFile, str, str]] = {
    "passed on": ("/api/", "", MOUNTED, "without a slash", "http://api:8000/;|"),
    "cut off": ("/api/", "/", OWN, "strips /api/", "http://api:8000;|"),
    "two slashes": ("/api", "/", MOUNTED, "has no slash", ""),
    "no file is known": ("/api/", "", HopFile("", is_read_only=False, on_host=""), "without", ""),
}


@pytest.mark.parametrize(("location", "path", "file", "words", "edit"), PLACES.values(), ids=PLACES)
def test_places(location: str, path: str, file: HopFile, words: str, edit: str) -> None:
    block = f"location {location} {{ proxy_pass http://api:8000{path}; }}"
    site = f"http {{ server {{ listen 80; {block} }} }}"
    (hop,) = hops(EDGE, read(site), Containers((API, EDGE)))
    misplaced = MisplacedPath(
        hop, API, file, "GET /api/users 404", times=4, asked="/api/users",
        sent=hop.sent_path("/api/users"), other="/users", address="http://172.18.0.3:8000",
        is_of_visitors=True,
    )  # fmt: skip
    (finding,) = judge(
        "network.proxied-path-unknown", misplaced_paths=MisplacedPaths((misplaced,))
    ).findings
    assert words in finding.summary
    variables = finding.variables
    assert edit in variables.get("edit", variables.get("script", ""))
    assert bool(edit) == ("edit" in variables or "script" in variables)
