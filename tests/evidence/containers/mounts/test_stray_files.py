"""Files that a command names in a container's writable layer, beside an empty mount."""

from typing import Any

import pytest

from diagnose.evidence.containers.mounts.data.stray_files import stray_files
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

MADE = 1_767_323_044.0
ACME = "--acme.storage=/acme.json"
MOUNT = {"Type": "bind", "Source": "/srv/acme.json", "Destination": "/le/acme.json", "RW": True}
FOLDER = {"Type": "volume", "Name": "le", "Source": "/v/le", "Destination": "/le", "RW": True}
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a mounted file elsewhere": ({}, "warning"),
    "as two words": ({"words": ["traefik", "--storage", "/acme.json"]}, "warning"),
    "a variable": ({"words": ["run"], "env": ["ACME_STORAGE=/acme.json"]}, "warning"),
    "an empty folder": ({"mount": FOLDER}, "advice"),
    "a folder that holds something": ({"mount": FOLDER, "entries": ["a.json"]}, ""),
    "a mounted file that holds something": ({"mounted": 900}, ""),
    "a mounted file of another name": ({"mount": {**MOUNT, "Destination": "/le/other.json"}}, ""),
    "read-only": ({"mount": {**MOUNT, "RW": False}}, ""),
    "a file of the image": ({"mtime": MADE - 9e5}, ""),
    "a file that is empty": ({"size": 0}, ""),
    "a file that is not there": ({"size": -1}, ""),
    "a place of the mount": ({"words": ["--acme.storage=/le/acme.json"]}, ""),
    "a configuration": ({"words": ["--config=/acme.yml"]}, ""),
    "a file for a moment": ({"words": ["--state=/tmp/acme.json"]}, ""),
}


@pytest.mark.parametrize(("case", "severity"), CASES.values(), ids=CASES)
def test_a_file_that_a_command_names(case: dict[str, Any], severity: str) -> None:
    mount = case.get("mount", MOUNT)
    web = container(
        "web",
        Created="2026-01-02T03:04:04Z",
        Config={"Cmd": case.get("words", ["traefik", ACME]), "Env": case.get("env", [])},
        Mounts=[mount],
    )
    size = case.get("size", 4000)
    mtime = case.get("mtime", MADE + 99)
    inner = {"type": "file", "size": size, "mtime": mtime} if size >= 0 else {"failed": "missing"}
    own = {"type": "folder"} if mount["Type"] == "volume" else {"type": "file", "size": 0}
    own = {**own, "size": case["mounted"]} if "mounted" in case else own

    def stats(question: Any) -> dict[str, object]:
        return {path: own if path == mount["Source"] else inner for path in question.paths}

    entries = [{"name": name, "type": "file"} for name in case.get("entries", ())]
    host = Made({"file.stats": stats, "file.list": {"entries": entries}})
    result = judge(
        "container.data-in-own-layer",
        containers=of(web),
        own_layer_data=(),
        stray_files=stray_files(host, of(web)),
    )
    assert rows(result) == ([(severity, "web")] if severity else [])
