"""container.data-unkept: databases in layers, in memory, and below /tmp."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.mounts.data.unkept_data import UnkeptDataList, unkept_data
from diagnose.evidence.containers.mounts.data.unkept_state import unkept_states
from diagnose.evidence.images.layers import Layers
from diagnose.evidence.machine.processes import Process, Processes
from tests.checks.container.evidence import container_in
from tests.hosts import Made
from tests.inspected import container, of
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
    assert rows(judge("container.data-unkept", unkept_data=data, unkept_states=None)) == (
        [("advice", "web")] if found else []
    )


PUBLISHED = {"NetworkSettings": {"Ports": {"8091/tcp": [{"HostIp": "", "HostPort": "8091"}]}}}
STORE = f"{TOP}/usr/src/app/store"
SMALL: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "accounts": (PUBLISHED, [f"{TOP}/app/data/users.json"], "/app/data/users.json"),
    "two files of settings": (PUBLISHED, [f"{STORE}/settings.json", f"{STORE}/nodes.json"], f"{STORE}/settings.json"),
    "a small database": (PUBLISHED, [f"{TOP}/app/storage/app.db"], "/app/storage/app.db"),
    "one file of settings": (PUBLISHED, [f"{TOP}/app/config/settings.json"], ""),
    "settings of the system": (PUBLISHED, [f"{TOP}/etc/config/users.json"], ""),
    "pages": (PUBLISHED, [f"{TOP}/usr/share/nginx/html/users.json"], ""),
    "in no folder for data": (PUBLISHED, [f"{TOP}/app/users.json"], ""),
    "a program without a port": ({}, [f"{TOP}/app/data/users.json"], ""),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "files", "path"), SMALL.values(), ids=SMALL)
def test_small_files_count_by_their_kind(
    parts: dict[str, Any], files: list[str], path: str
) -> None:
    web = container_in("running", **{"HostConfig": ALWAYS, **parts})
    largest = [{"path": file, "bytes": 4096} for file in files]
    host = Made({"fs.walk": {"bytes": 9000, "complete": True, "by": {}, "largest": largest}})
    data = unkept_data(host, of(web), Layers("/layer", 1, (), {web.id: "top"}))
    found = [f"{unkept.folder}/{unkept.file}" for unkept in data]
    assert found == ([path.removeprefix(TOP)] if path else [])


ROOT = "/proc/100/root"
STARTED = 1_767_323_045.0
MAIL = f"{ROOT}/var/spool/postfix/deferred"
TABLE = f"{ROOT}/var/spool/cron/crontabs"
VOLUME = {"Type": "volume", "Name": "spool", "Source": "/v", "RW": True}
STATES: dict[str, tuple[str, dict[str, dict[str, float | None]], list[Any], str]] = {
    "mails that wait": ("master", {MAIL: {"A": None}, f"{MAIL}/A": {"A1B2C3D4": 9.0}}, [], "1 waiting mail"),
    "an empty queue": ("master", {MAIL: {"A": None}, f"{MAIL}/A": {}}, [], ""),
    "a queue in a volume": (
        "master",
        {MAIL: {"A": None}, f"{MAIL}/A": {"A1B2C3D4": 9.0}},
        [{**VOLUME, "Destination": "/var/spool/postfix"}],
        "",
    ),
    "a queue of no mail server": ("nginx", {MAIL: {"A1B2C3D4": 9.0}}, [], ""),
    "a crontab that was edited": ("crond", {TABLE: {"root": STARTED + 9e4}}, [], "1 crontab"),
    "a crontab of the start script": ("crond", {TABLE: {"root": STARTED + 2}}, [], ""),
    "a crontab of the image": ("crond", {TABLE: {"root": STARTED - 9e6}}, [], ""),
    "certificates": (
        "nginx", {f"{ROOT}/etc/letsencrypt/live": {"a.test": STARTED + 9, "README": STARTED + 9}}, [], "1 certificate",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("program", "folders", "mounts", "said"), STATES.values(), ids=STATES)
def test_state_that_nothing_keeps(
    program: str, folders: dict[str, dict[str, float | None]], mounts: list[Any], said: str
) -> None:
    web = container("web", HostConfig=ALWAYS, Mounts=mounts, Created="2026-01-02T03:04:04Z")

    def stats(question: Any) -> dict[str, object]:
        known: dict[str, object] = {path: {"type": "folder"} for path in folders}
        known |= {
            f"{path}/{name}": {"type": "file", "mtime": mtime}
            for path, files in folders.items()
            for name, mtime in files.items()
        }
        return {path: known.get(path, {"failed": "missing"}) for path in question.paths}

    def listing(question: Any) -> dict[str, object]:
        files = folders.get(f"{question.root}{question.path}", {})
        kinds = {name: "folder" if mtime is None else "file" for name, mtime in files.items()}
        return {"entries": [{"name": name, "type": kind} for name, kind in kinds.items()]}

    processes = Processes((Process(pid=100, comm=program, container=web.id),))
    host = Made({"file.stats": stats, "file.list": listing})
    states = unkept_states(host, of(web), processes)
    data = UnkeptDataList(())
    result = judge("container.data-unkept", unkept_data=data, unkept_states=states)
    assert rows(result) == ([("advice", "web")] if said else [])
    assert all(f"keeps {said} below" in finding.summary for finding in result.findings)
