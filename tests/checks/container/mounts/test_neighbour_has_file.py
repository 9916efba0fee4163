"""The check container.neighbour-has-file, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.mounts.neighbours_files import neighbours_files
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

PICTURE = "/srv/app/storage/1.jpg"
LINE = (
    f'[error] 7#7: *1 open() "{PICTURE}" failed (2: No such file or directory), client: 192.0.2.7'
)
VOLUME = {"Type": "volume", "Name": "files", "Source": "/v", "Destination": "/srv/app/storage"}
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a file in a volume": ({"mounts": [VOLUME]}, ["files:/srv/app/storage"]),
    "a file in a layer": ({}, ["/srv/app/storage"]),
    "Python": ({"line": f"[Errno 2] No such file or directory: '{PICTURE}'"}, ["/srv/app/storage"]),
    "a path at the end of a sentence": (
        {"line": f"import failed, path does not exist: {PICTURE}."},
        ["/srv/app/storage"],
    ),
    "a scanner": ({"line": LINE.replace("storage/1.jpg", "composer.json")}, []),
    "a scanner for secrets": ({"line": LINE.replace("storage/1.jpg", ".env")}, []),
    "it has the file": ({"own": "file"}, []),
    "a file of the neighbour's image": ({"written": 1_700_000_000.0}, []),
    "a mount of its own": ({"mounts": [VOLUME], "mounted": [{**VOLUME, "Name": "other"}]}, []),
    "a file of any site": ({"line": LINE.replace("1.jpg", "favicon.ico")}, []),
    "nobody has the file": ({"theirs": None}, []),
    "a device": ({"theirs": "device"}, []),
    "another project": ({"project": "other"}, []),
    "without compose": ({"own_project": "", "project": ""}, ["/srv/app/storage"]),
    "without compose, on another network": (
        {"own_project": "", "project": "", "network": "other"},
        [],
    ),
    "the one without compose": ({"own_project": ""}, []),
    "another error": ({"line": f'open() "{PICTURE}" failed (13: Permission denied)'}, []),
    "a file of the system": ({"line": "open /etc/ssl/shop.pem: no such file or directory"}, []),
    "a file that programs make": ({"line": "/srv/app/run.pid: No such file or directory"}, []),
    "code": ({"line": "/srv/app/index.php: No such file or directory"}, []),
    "a request": ({"line": f"GET {PICTURE} 404 file not found"}, []),
    "a page": ({"line": f"404 Not Found: {PICTURE}"}, []),
    "a URL": ({"line": "http://php:80/srv/app/storage/1.jpg: file not found"}, []),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_files_of_neighbours(case: dict[str, Any], expected: list[str]) -> None:
    def labels(project: str) -> dict[str, str]:
        return {"com.docker.compose.project": project} if project else {}

    def on(network: str) -> dict[str, Any]:
        return {"Networks": {network: {"IPAddress": "10.0.0.2"}}}

    web = container(
        "nginx",
        Config={"Labels": labels(case.get("own_project", "shop"))},
        Mounts=case.get("mounted", []),
        NetworkSettings=on("shop"),
    )
    php = container(
        "php",
        State={"Status": "running", "Pid": 200},
        Created="2026-01-01T00:00:00Z",
        Config={"Labels": labels(case.get("project", "shop"))},
        Mounts=case.get("mounts", []),
        NetworkSettings=on(case.get("network", "shop")),
    )

    def looked_at(question: Any) -> Any:
        is_web = question.paths[0].startswith("/proc/100/")
        kind = case.get("own") if is_web else case.get("theirs", "file")
        written = case.get("written", 1_900_000_000.0)
        status = {"type": kind, "mtime": written} if kind else {"failed": "missing"}
        return dict.fromkeys(question.paths, status)

    logs = RecentLogs({web.id: (RecentLine(5.0, case.get("line", LINE)),)})
    found = neighbours_files(Made({"file.stats": looked_at}), of(web, php), logs)
    result = judge("container.neighbour-has-file", neighbours_files=found)
    shown = [
        finding.variables.get("shared") or finding.variables["apart"] for finding in result.findings
    ]
    assert shown == expected
