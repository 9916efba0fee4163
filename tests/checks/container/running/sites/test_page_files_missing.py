"""container.page-files-missing, by access logs and the first page."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.proxies.pages.absent_files import all_absent_files
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage, FrontPages, HttpPort
from diagnose.evidence.network.proxies.pages.strayed_pages import strayed_pages
from diagnose.questions.web_pages import PageReply, RequestPage
from tests.inspected import container, of
from tests.judging import judge, rows

PAGE = '192.0.2.7 - - [x] "GET / HTTP/1.1" 200 512 "-" "Firefox"'
LOST = '192.0.2.7 - - [x] "GET /static/app.4f2a.js HTTP/1.1" 404 9 "http://shop.test/" "Firefox"'
SCANNER = LOST.replace("192.0.2.7", "198.51.100.9")
CASES: dict[str, tuple[list[str], str, list[tuple[str, str]]]] = {
    "the page names it": ([PAGE, *[LOST] * 3], "<script src=app.4f2a.js>", [("warning", "web")]),
    "the page names another": ([PAGE, *[LOST] * 3], "<script src=app.9.js>", [("advice", "web")]),
    "another folder's": ([PAGE, *[LOST] * 3], "<script src=/v2/app.4f2a.js>", [("advice", "web")]),
    "what may be added": (
        [PAGE, *[LOST.replace("app.4f2a.js", "custom.css")] * 3],
        '<link href="/static/custom.css">',
        [("advice", "web")],
    ),
    "twice": ([PAGE, *[LOST] * 2], "app.4f2a.js", []),
    "somebody got it": ([PAGE, *[LOST] * 3, LOST.replace(" 404 ", " 200 ")], "app.4f2a.js", []),
    "a picture": ([PAGE, *[LOST.replace(".js", ".png")] * 3], "app.4f2a.png", []),
    "a visitor names no page": (
        [PAGE, *[LOST] * 3, LOST.replace("http://shop.test/", "http://[")],
        "<script src=app.4f2a.js>",
        [("warning", "web")],
    ),
    "a scanner": ([PAGE, *[SCANNER] * 3], "app.4f2a.js", []),
}


@pytest.mark.parametrize(("lines", "body", "expected"), CASES.values(), ids=CASES)
def test_files_of_a_page(lines: list[str], body: str, expected: list[tuple[str, str]]) -> None:
    web = container("web")
    logged = tuple(RecentLine(1000.0 + at, line) for at, line in enumerate(lines))
    http_port = HttpPort(web, 80, RequestPage(7, "172.18.0.2", 80))
    page = FrontPage(http_port, PageReply("answered", status=200, body=body))
    found = all_absent_files(
        of(web),
        RecentLogs({web.id: logged}),
        Clock(1010.0, 0.0),
        FrontPages((page,)),
        strayed_pages=None,
    )
    result = judge("container.page-files-missing", all_absent_files=found)
    assert rows(result) == expected


def test_a_visitor_who_names_no_page_leaves_those_of_others_known() -> None:
    """A header is what a visitor writes: "http://[" is not a URL."""
    web = container("web")
    lines = [
        LOST.replace("http://shop.test/", page).replace("app.", file)
        for page in ("http://[", "http://shop.test/kopia/")
        for file in ("a.", "b.", "a.", "b.")
    ]
    logged = tuple(RecentLine(1000.0 + at, line) for at, line in enumerate(lines))
    pages = strayed_pages(of(web), RecentLogs({web.id: logged}), Clock(1010.0, 0.0))
    assert [page.below for page in pages] == ["/kopia/"]
