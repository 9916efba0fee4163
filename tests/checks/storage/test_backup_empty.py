"""storage.backup-empty: volumes of backup programs, and their namesakes."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.storage.volumes.empty_backups import empty_backups
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

FOUND = [("warning", "saver")]


def _with(name: str, volume: str, at: str = "/data", *, rw: bool = True, **more: str) -> Container:
    mount = {
        "Type": "volume",
        "Name": volume,
        "Source": f"/v/{volume}",
        "Destination": at,
        "RW": rw,
    }
    labels = {
        "com.docker.compose.project": more.get("project", ""),
        "com.docker.compose.service": name,
    }
    return container(
        name, Mounts=[mount], Config={"Labels": labels, "Image": more.get("image", "app:1")}
    )


def _judge(full: set[str], *containers: Container) -> Any:
    def listing(question: Any) -> Any:
        names = ["grafana.db"] if question.args["path"] in {f"/v/{name}" for name in full} else []
        return {"entries": [{"name": name, "type": "file"} for name in names]}

    found = empty_backups(Made({"file.list": listing}), of(*containers))
    return judge("storage.backup-empty", empty_backups=found)


GRAFANA = _with("grafana", "monitoring_config", project="monitoring")
CASES: dict[str, tuple[Container, set[str], list[tuple[str, str]]]] = {
    "of its own project": (
        _with("saver", "saver_config", rw=False, project="saver"), {"monitoring_config"}, FOUND,
    ),
    "with the other project in its name": (
        _with("saver", "saver_monitoring_config", rw=False, project="saver"), {"monitoring_config"}, FOUND,
    ),
    "without a project": (_with("saver", "config", rw=False), {"monitoring_config"}, FOUND),
    "of a backup program that may write": (
        _with("saver", "saver_config", project="saver", image="offen/docker-volume-backup:v2"),
        {"monitoring_config"}, FOUND,
    ),
    "where a backup program writes": (
        _with("saver", "saver_config", "/archive", project="saver", image="restic:1"), {"monitoring_config"}, [],
    ),
    "of a program that writes": (_with("saver", "saver_config", project="saver"), {"monitoring_config"}, []),
    "that holds something": (
        _with("saver", "saver_config", rw=False, project="saver"), {"monitoring_config", "saver_config"}, [],
    ),
    "both are empty": (_with("saver", "saver_config", rw=False, project="saver"), set(), []),
    "the same volume": (_with("saver", "monitoring_config", rw=False), {"monitoring_config"}, []),
    "of another name": (_with("saver", "saver_films", rw=False, project="saver"), {"monitoring_config"}, []),
}  # fmt: skip


@pytest.mark.parametrize(("saver", "full", "expected"), CASES.values(), ids=CASES)
def test_volumes(saver: Container, full: set[str], expected: list[tuple[str, str]]) -> None:
    assert rows(_judge(full, GRAFANA, saver)) == expected


def test_a_new_program_that_has_stored_nothing_yet() -> None:
    web = _with("saver", "staging_config", rw=False, project="staging")
    writer = _with("app", "staging_config", project="staging")
    assert rows(_judge({"monitoring_config"}, GRAFANA, web)) == FOUND
    assert rows(_judge({"monitoring_config"}, GRAFANA, web, writer)) == []


def test_where_backups_are_written() -> None:
    image = {"project": "saver", "image": "postgres-backup-local:16"}
    for at, expected in (("/backups", []), ("/backup/grafana", FOUND)):
        saver = _with("saver", "saver_config", at, **image)
        assert rows(_judge({"monitoring_config"}, GRAFANA, saver)) == expected


def test_which_of_several() -> None:
    saver = _with("saver", "saver_config", rw=False, project="saver")
    other = _with("other", "shop_config", project="shop")
    assert rows(_judge({"monitoring_config", "shop_config"}, GRAFANA, other, saver)) == []
    (finding,) = _judge({"monitoring_config"}, GRAFANA, other, saver).findings
    assert finding.variables["bound"] == "monitoring_config:/data:ro"


FOLDERS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "a folder of the name of the volume": ("/srv/shop/pgdata/main", {}, True),
    "the last word of its name": ("/srv/shop/data", {"volume": "shop_app_data"}, True),
    "another project's folder by its last word": (
        "/srv/shop/data", {"volume": "shop_app_data", "other": "wiki"}, False,
    ),
    "a web server that has no certificate yet": (
        "/srv/shop/pgdata/main", {"image": "nginx:1.27"}, False,
    ),
    "another project's folder of a name that many have": (
        "/srv/wiki/data", {"volume": "shop_data", "other": "wiki"}, False,
    ),
    "another project's folder of its own name": ("/srv/wiki/pgdata", {"other": "wiki"}, True),
    "another folder": ("/srv/shop/media", {}, False),
    "an empty folder": ("/srv/shop/pgdata/main", {"full": set()}, False),
    "a folder that is only read": ("/srv/shop/pgdata/main", {"rw": False}, False),
}  # fmt: skip


@pytest.mark.parametrize(("source", "case", "expected"), FOLDERS.values(), ids=FOLDERS)
def test_data_in_a_folder_of_the_host(source: str, case: dict[str, Any], expected: bool) -> None:
    image = case.get("image", "restic:0.17")
    saver = _with("saver", case.get("volume", "shop_pgdata"), rw=False, project="shop", image=image)
    bind = {"Type": "bind", "Source": source, "Destination": "/data", "RW": case.get("rw", True)}
    labels = {"com.docker.compose.project": case.get("other", "shop")}
    db = container("db", Mounts=[bind], Config={"Labels": labels})

    def listing(question: Any) -> Any:
        is_full = question.args["path"] in case.get("full", {source})
        return {"entries": [{"name": "base", "type": "folder"}] if is_full else []}

    found = empty_backups(Made({"file.list": listing}), of(saver, db))
    findings = judge("storage.backup-empty", empty_backups=found).findings
    assert [finding.variables["bound"] for finding in findings] == (
        [f"{source}:/data:ro"] if expected else []
    )
