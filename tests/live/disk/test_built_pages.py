"""The search in the code of built pages."""

import time
from pathlib import Path
from typing import Any

import pytest

from diagnose.live.disk.built_pages import built_pages


def _searched(root: Path, *texts: str) -> Any:
    args: Any = {"root": str(root), "folders": ["/app/dist", "/gone"], "texts": list(texts)}
    return built_pages(args)


def test_texts_of_pages(tmp_path: Path) -> None:
    dist = tmp_path / "app/dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "node_modules").mkdir()
    (dist / "assets/index.js").write_text('a("http://localhost:8000/v1");b("https://x.lab.test")')
    (dist / "logo.svg").write_text("needle")
    (dist / "node_modules/a.js").write_text("needle")
    answer = _searched(tmp_path, "https://x.lab.test", "needle")
    assert answer["texts"] == ["https://x.lab.test"]
    assert answer["local"] == ["http://localhost:8000"]
    assert answer["files"] == 1
    assert answer["newest"] > 0
    assert answer["is_complete"]


def test_links_lead_to_nothing_of_the_host(tmp_path: Path) -> None:
    root, secret = tmp_path / "root", tmp_path / "secret"
    for folder in (root / "app", secret):
        folder.mkdir(parents=True)
    (secret / "a.js").write_text("needle")
    (root / "app/dist").symlink_to(secret)
    assert _searched(root, "needle")["files"] == 0


CALLS = {
    "fetch": ('fetch("http://localhost:8000/v1")', True),
    "a long name": ("const API_URL = 'http://127.0.0.1:8000';", True),
    "a key": ('x.create({baseURL:"http://localhost:8000"})', True),
    "a short name of a build": ('const Rt="http://localhost:8000/v1";fetch(Rt)', True),
    "a template": ("fetch(`http://localhost:8000/${id}`)", True),
    "a socket": ('new WebSocket("ws://localhost:8000")', True),
    "a request of old": ('x.open("GET", "http://localhost:8000/v1")', True),
    "behind a variable of Next.js": ('a.env.NEXT_PUBLIC_URL||"http://localhost:8000"', True),
    "behind a variable of the page": ('window.env.NEXT_PUBLIC_URL||"http://localhost:8000"', False),
    "behind a variable that browsers lack": ('process.env.API_URL||"http://localhost:8000"', True),
    "behind a setting of the page": ('window.API||"http://localhost:8000"', False),
    "by the address of the page": (
        'const api=location.hostname==="localhost"?"http://localhost:8000":"/api"', False,
    ),
    "changed afterwards": (
        'let api="http://localhost:8000"; if (location.hostname) api = "/api"', False,
    ),
    "a comment": ('// fetch("http://localhost:8000/v1")', False),
    "a comment of several lines": (' * fetch("http://localhost:8000/v1")', False),
    "a text": ('p("Open http://localhost:8000 in a browser")', False),
    "a text by itself": ('["http://localhost:8000","x"]', False),
    "an example of an interface": ('{"openapi":"3.1","servers":[{"url":"http://localhost:8000"}]}', False),
    "without a port": ('fetch("http://localhost/v1")', False),
    "a page": ('<html><script>fetch("http://localhost:8000/v1")</script></html>', True),
    "an example in a page": ('<pre><code>fetch("http://localhost:8000/v1")</code></pre>', False),
    "the other address of a choice": (
        'const t="http://localhost:8000",n="https://api.lab.test";go(dev?t:n)', False,
    ),
    "a table of addresses": (
        'const urls={local_url:"http://localhost:8000",prod:"https://api.lab.test"}', False,
    ),
    "another address beside it": (
        'x({url:"http://localhost:8000",docs_url:"https://docs.lab.test"})', True,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), CALLS.values(), ids=CALLS)
def test_calls_of_pages(tmp_path: Path, code: str, expected: bool) -> None:
    (tmp_path / "app/dist").mkdir(parents=True)
    (tmp_path / "app/dist/a.js").write_text(code)
    calls = _searched(tmp_path)["calls"]
    assert [call["file"] for call in calls] == (["/app/dist/a.js"] if expected else [])


def test_a_file_of_addresses_costs_little(tmp_path: Path) -> None:
    (tmp_path / "app/dist").mkdir(parents=True)
    (tmp_path / "app/dist/a.js").write_text('"http://localhost:1"' * 200_000)
    before = time.process_time()
    assert _searched(tmp_path)["calls"] == []
    assert time.process_time() - before < 2
