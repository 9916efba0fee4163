"""The check in checks/container/data/volumes_from_outdated.py."""

from __future__ import annotations

from typing import Any

import pytest

from tests.inspected import container, of
from tests.judging import judge, rows

STORE = "/var/lib/docker/volumes"
OLD, NEW = "a" * 64, "b" * 64
OLDER, NEWER = "2026-01-02T03:04:05Z", "2026-01-02T04:04:05Z"


def _mounts(name: str, path: str = "/data") -> list[dict[str, Any]]:
    source = f"{STORE}/{name}/_data"
    return [
        {"Type": "volume", "Name": name, "Source": source, "Destination": path, "Driver": "local"}
    ]


ROWS = {
    "made anew": (["storage"], _mounts(NEW), True),
    "made anew, read-only": (["storage:ro"], _mounts(NEW), True),
    "by its id": ([f"{'storage':0<64}:rw"], _mounts(NEW), True),
    "as before": (["storage"], _mounts(OLD), False),
    "another path": (["storage"], _mounts(NEW, "/cache"), False),
    "gone": (["other"], _mounts(NEW), False),
    "not named": (None, _mounts(NEW), False),
}


@pytest.mark.parametrize(("named", "theirs", "fires"), ROWS.values(), ids=ROWS)
def test_volumes_from_outdated(
    named: list[str] | None, theirs: list[dict[str, Any]], fires: bool
) -> None:
    app = container("app", Created=OLDER, HostConfig={"VolumesFrom": named}, Mounts=_mounts(OLD))
    storage = container("storage", Created=NEWER, Mounts=theirs)
    result = judge("container.volumes-from-outdated", containers=of(app, storage))
    assert rows(result) == ([("warning", "app")] if fires else [])


def _member(service: str, depends_on: str = "") -> dict[str, Any]:
    labels = {"project": "shop", "service": service, "depends_on": depends_on}
    return {"Labels": {f"com.docker.compose.{name}": value for name, value in labels.items()}}


@pytest.mark.parametrize(
    ("depends_on", "fires"), [("storage:service_started:false", True), ("", False)]
)
def test_compose_names_a_container_that_is_gone(depends_on: str, fires: bool) -> None:
    gone = {"VolumesFrom": [f"{'c' * 64}:rw"]}
    config = _member("app", depends_on)
    app = container("app", Created=OLDER, HostConfig=gone, Mounts=_mounts(OLD), Config=config)
    storage = container("storage", Created=NEWER, Mounts=_mounts(NEW), Config=_member("storage"))
    result = judge("container.volumes-from-outdated", containers=of(app, storage))
    assert rows(result) == ([("warning", "app")] if fires else [])


@pytest.mark.parametrize(
    "own",
    [
        {"HostConfig": {"Binds": ["/srv/own:/data:ro"]}},
        {"HostConfig": {"Mounts": [{"Type": "volume", "Target": "/data"}]}},
        {"HostConfig": {"VolumesFrom": ["storage", "second"]}},
        {"Created": "2026-01-02T05:04:05Z"},
    ],
    ids=["a folder of its own", "a mount of its own", "the last one counts", "the younger one"],
)
def test_a_path_that_is_not_shared(own: dict[str, Any]) -> None:
    asked = {"VolumesFrom": ["storage"], **own.get("HostConfig", {})}
    created = own.get("Created", OLDER)
    app = container("app", Created=created, HostConfig=asked, Mounts=_mounts(OLD))
    storage = container("storage", Created=NEWER, Mounts=_mounts(NEW))
    second = container("second", Created=NEWER, Mounts=_mounts(OLD))
    result = judge("container.volumes-from-outdated", containers=of(app, storage, second))
    assert rows(result) == []
