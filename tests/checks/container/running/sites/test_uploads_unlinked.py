"""container.uploads-unlinked: the link of Laravel's public folder."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.programs.unlinked_uploads import all_unlinked_uploads
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Json
from diagnose.questions import Question
from diagnose.questions.files import StatPaths
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

CODE = "/proc/7/root/var/www/html"
MOUNT = {
    "Type": "volume",
    "Name": "u",
    "Source": "/v",
    "Destination": "/var/www/html/public/storage",
}
STORE = MOUNT | {"Destination": "/var/www/html/storage/app"}
MOVED = MOUNT | {"Destination": "/srv/uploads"}
FOUND = [("advice", "app")]
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "no link": ({}, FOUND),
    "a link of the host": ({"link": "/home/me/shop/storage/app/public"}, FOUND),
    "a link that leads there": ({"link": "/var/www/html/storage/app/public"}, []),
    "a relative link": ({"link": "../storage/app/public"}, []),
    "no uploads": ({"uploads": [".gitignore"]}, []),
    "a mount in its place": ({"mounts": [MOUNT]}, []),
    "no Laravel": ({"artisan": False}, []),
    "no PHP": ({"comm": "nginx"}, []),
    "a web server with the link": ({"beside": "link"}, []),
    "a web server with the folder": ({"beside": "mount"}, []),
    "a web server without both": ({"beside": "none"}, FOUND),
    "a web server with the uploads at a path of its own": (
        {"beside": "moved", "mounts": [STORE]},
        [],
    ),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_links(case: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    app = container(
        "app",
        State={"Status": "running", "Pid": 7, "StartedAt": "2026-01-02T03:04:05Z"},
        Mounts=case.get("mounts", []),
        Config={"Labels": {"com.docker.compose.project": "shop"}},
    )
    web = container(
        "web",
        State={"Status": "running", "Pid": 8, "StartedAt": "2026-01-02T03:04:05Z"},
        Mounts={"mount": [MOUNT], "moved": [MOVED]}.get(case.get("beside", ""), []),
        Config={"Labels": {"com.docker.compose.project": "shop"}},
    )
    known: dict[str, Json] = {f"{CODE}/public/index.php": {"type": "file"}}
    known[f"{CODE}/storage/app/public"] = {"type": "folder"}
    if case.get("artisan", True):
        known[f"{CODE}/artisan"] = {"type": "file"}
    if case.get("link"):
        known[f"{CODE}/public/storage"] = {"type": "link", "link": case["link"]}

    if case.get("beside") == "link":
        known["/proc/8/root/var/www/html/public/storage"] = {"type": "link"}

    def stats(question: Question[object]) -> Json:
        assert isinstance(question, StatPaths)
        return {path: known.get(path, {"failed": "missing"}) for path in question.paths}

    entries: Json = [{"name": name, "type": "file"} for name in case.get("uploads", ["me.png"])]
    host = Made({"file.stats": stats, "file.list": {"entries": entries}})
    seen = Processes((Process(7, comm=case.get("comm", "php-fpm"), container=app.id),))
    found = all_unlinked_uploads(host, of(app, *([web] if "beside" in case else [])), seen)
    assert rows(judge("container.uploads-unlinked", all_unlinked_uploads=found)) == expected
