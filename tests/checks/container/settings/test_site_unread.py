"""container.site-unread: welcome pages of images, and other first pages in the container."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.proxies.nginx.sites import NginxSites
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage, FrontPages, HttpPort
from diagnose.evidence.network.proxies.pages.unshown_sites import unshown_sites
from diagnose.model import Json
from diagnose.questions import Question
from diagnose.questions.files import StatPaths
from diagnose.questions.web_pages import PageReply, RequestPage
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

WELCOME = "<html><head><title>Welcome to nginx!</title></head></html>"
FOUND = [("warning", "www")]
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "another folder has a site": ({}, FOUND),
    "in the image": ({"mounts": [], "folder": "/var/www/html"}, [("advice", "www")]),
    "another page is shown": ({"body": "<title>The shop</title>"}, []),
    "an error": ({"status": 404}, []),
    "no other first page": ({"folder": ""}, []),
    "below the shown folder": ({"folder": "/usr/share/nginx/html/shop"}, []),
    "a folder that the settings name": ({"named": ["/site"]}, []),
    "with another program": ({"comm": "node"}, []),
    "with an init process": ({"comm": "tini"}, FOUND),
    "a source of pages": ({"package": True}, []),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_welcome_pages(case: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    result = judge("container.site-unread", nginx_sites=NginxSites(), unshown_sites=_found(case))
    assert rows(result) == expected


PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "a mounted folder": ({}, "volume"),
    "a folder in a mount": ({"folder": "/site/dist"}, "unshown"),
    "a folder of the image": ({"mounts": [], "folder": "/var/www/html"}, "unshown"),
}


@pytest.mark.parametrize(("case", "variable"), PLACES.values(), ids=PLACES)
def test_ways_to_the_site(case: dict[str, Any], variable: str) -> None:
    found = _found(case)
    [finding] = judge(
        "container.site-unread", nginx_sites=NginxSites(), unshown_sites=found
    ).findings
    assert variable in finding.variables


def _found(case: dict[str, Any]) -> Any:
    folder = case.get("folder", "/site")
    mount = {"Type": "bind", "Source": "/srv/site", "Destination": "/site", "RW": False}
    if folder.startswith("/usr"):
        mount["Destination"] = folder
    www = container(
        "www",
        State={"Status": "running", "Pid": 7, "StartedAt": "2026-01-02T03:04:05Z"},
        Config={"Cmd": ["nginx"]},
        Mounts=case.get("mounts", [mount]),
    )

    def stats(question: Question[object]) -> Json:
        assert isinstance(question, StatPaths)
        known = {f"/proc/7/root{folder}/index.html"} if folder else set()
        if case.get("package"):
            known.add(f"/proc/7/root{folder}/package.json")
        return {
            path: {"type": "file"} if path in known else {"failed": "missing"}
            for path in question.paths
        }

    seen = (
        Process(7, comm="nginx", container=www.id),
        Process(8, comm=case.get("comm", "nginx"), container=www.id),
    )
    reply = PageReply("answered", status=case.get("status", 200), body=case.get("body", WELCOME))
    page = FrontPage(HttpPort(www, 80, RequestPage(7, "10.1.0.2", 80)), reply)
    files = {"entries": [{"name": "default.conf", "type": "file"}]}
    host = Made({"file.stats": stats, "file.list": files, "file.texts": case.get("named", [])})
    return unshown_sites(host, FrontPages((page,)), Processes(seen))
