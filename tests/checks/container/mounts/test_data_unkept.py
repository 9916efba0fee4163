"""container.data-unkept: databases in layers, in memory, and below /tmp."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.mounts.data.unkept_data import unkept_data
from diagnose.evidence.images.layers import Layers
from tests.checks.container.evidence import container_in
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

ALWAYS = {"RestartPolicy": {"Name": "always"}}
TOP = "/layer/top/diff"
BIND = {"Type": "bind", "RW": True, "Destination": "/data"}
CASES: dict[str, tuple[dict[str, Any], list[str], bool]] = {
    "in its layer": ({}, [f"{TOP}/app/shop.sqlite3"], True),
    "a cache in its layer": ({}, [f"{TOP}/var/cache/shop.db"], False),
    "no database in its layer": ({}, [f"{TOP}/app/page.html"], False),
    "a job": ({"HostConfig": {}}, [f"{TOP}/app/shop.sqlite3"], False),
    "beside a mount for data": (
        {"Mounts": [{**BIND, "Source": "/srv/shop"}]},
        [f"{TOP}/app/shop.sqlite3"],
        False,
    ),
    "in memory": ({"HostConfig": {**ALWAYS, "Tmpfs": {"/var/lib/mysql": ""}}}, ["ibdata1"], True),
    "in memory for temporary files": (
        {"HostConfig": {**ALWAYS, "Tmpfs": {"/run": ""}}},
        ["shop.db"],
        False,
    ),
    "below /tmp": ({"Mounts": [{**BIND, "Source": "/tmp/shop"}]}, ["PG_VERSION"], True),
    "a socket below /run": ({"Mounts": [{**BIND, "Source": "/run/shop.sock"}]}, ["a.db"], False),
    "an empty folder below /tmp": ({"Mounts": [{**BIND, "Source": "/tmp/shop"}]}, [], False),
}


@pytest.mark.parametrize(("parts", "files", "found"), CASES.values(), ids=CASES)
def test_databases_that_nothing_keeps(parts: dict[str, Any], files: list[str], found: bool) -> None:
    web = container_in("running", **{"HostConfig": ALWAYS, **parts})
    largest = [{"path": path, "bytes": 100_000} for path in files]
    names = [{"name": path.rpartition("/")[2], "type": "file"} for path in files]
    walk = {"bytes": 100_000, "complete": True, "by": {}, "largest": largest}
    host = Made({"fs.walk": walk, "file.list": {"entries": names}})
    layers = Layers("/layer", 1, (), {web.id: "top"})
    data = unkept_data(host, of(web), layers)
    assert rows(judge("container.data-unkept", unkept_data=data)) == (
        [("advice", "web")] if found else []
    )
