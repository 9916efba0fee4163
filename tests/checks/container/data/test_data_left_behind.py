"""The check in checks/container/data/data_left_behind.py, and its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.storage.volumes.left_volumes import LeftVolumes, left_volumes
from diagnose.evidence.storage.volumes.node_folders import LeftNodes, left_nodes
from diagnose.evidence.storage.volumes.renamed_projects import RenamedProjects, renamed_projects
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes, Volume
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from tests.checks.container.evidence import CLOCK, NOW
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NEW, OLD = "a" * 64, "b" * 64
POSTGRES = ["PG_VERSION", "base", "global", "pg_wal"]
MYSQL = ["ibdata1", "mysql", "sys", "auto.cnf"]
WARNING = [("warning", "db")]
HOUR = 3600.0


def at(age: float) -> str:
    return datetime.fromtimestamp(NOW - age, UTC).isoformat()


def place(name: str) -> str:
    return f"/var/lib/docker/volumes/{name}/_data"


def database(age: float, volume: str = NEW) -> Container:
    mount = {"Type": "volume", "Name": volume, "Source": place(volume), "Destination": "/data"}
    return container("db", Created=at(age), Mounts=[mount])


def found(
    made: Container, entries: Mapping[str, list[str]], changed: float, unused: str = OLD
) -> LeftVolumes:
    def listing(question: AnyQuestion) -> Json:
        names = entries.get(str(question.args["path"]).split("/")[-2], [])
        return {"entries": [{"name": name, "type": "file"} for name in names]}

    def stats(question: AnyQuestion) -> Json:
        paths = question.args["paths"]
        assert isinstance(paths, list)
        return {str(path): {"type": "file", "mtime": NOW - changed} for path in paths}

    volumes = UnusedVolumes((Volume(unused, "local", place(unused), at(30 * 86400.0)),))
    host = Made({"file.list": listing, "file.stats": stats})
    result = left_volumes(host, of(made), volumes, CLOCK)
    assert isinstance(result, LeftVolumes)
    return result


BOTH = {NEW: POSTGRES, OLD: POSTGRES}
CASES: dict[str, tuple[LeftVolumes, list[tuple[str, str]]]] = {
    "made again a minute after": (found(database(HOUR), BOTH, HOUR + 60), WARNING),
    "left a day before": (found(database(HOUR), BOTH, 25 * HOUR), []),
    "data of another program": (found(database(HOUR), {NEW: POSTGRES, OLD: MYSQL}, HOUR + 60), []),
    "too little to tell": (found(database(HOUR), {NEW: ["a"], OLD: ["a"]}, HOUR + 60), []),
    "an old container": (found(database(30 * 24 * HOUR), BOTH, 30 * 24 * HOUR + 60), []),
    "a volume with a name": (found(database(HOUR, "db-data"), BOTH, HOUR + 60), []),
    "an unused volume with a name": (
        found(database(HOUR), BOTH | {"db-old": POSTGRES}, HOUR + 60, "db-old"),
        [],
    ),
}


@pytest.mark.parametrize(("left", "expected"), CASES.values(), ids=CASES)
def test_former_data(left: LeftVolumes, expected: list[tuple[str, str]]) -> None:
    assert rows(judge("container.data-left-behind", left=left, clock=CLOCK)) == expected


# -- a renamed project ----------------------------------------

DAY = 86400.0
COMPOSE = "com.docker.compose."


def service(age: float = HOUR, volume: str = "weblog_db", **labels: str) -> Container:
    """The database of the project weblog, which lies in /srv/weblog."""
    mount = {"Type": "volume", "Name": volume, "Source": place(volume), "Destination": "/data"}
    marks = {"project": "weblog", "service": "db", "project.working_dir": "/srv/weblog"} | labels
    config = {"Labels": {f"{COMPOSE}{name}": value for name, value in marks.items()}}
    return container("db", Created=at(age), Mounts=[mount], Config=config)


def of_project(name: str, project: str, key: str = "db") -> Volume:
    labels = {f"{COMPOSE}project": project, f"{COMPOSE}volume": key}
    return Volume(name, "local", place(name), at(30 * DAY), labels)


def renamed(
    made: Container,
    *unused: Volume,
    entries: list[str] | None = None,
    changed: float = 2 * HOUR,
    folders: tuple[str, ...] = (),
    others: tuple[Container, ...] = (),
) -> RenamedProjects:
    def listing(question: AnyQuestion) -> Json:
        is_new = "weblog" in str(question.args["path"])
        names = POSTGRES if is_new or entries is None else entries
        return {"entries": [{"name": name, "type": "file"} for name in names]}

    def stats(question: AnyQuestion) -> Json:
        paths = question.args["paths"]
        assert isinstance(paths, list)
        return {
            str(path): {"type": "folder", "mtime": NOW - changed}
            if str(path).startswith("/var") or path in folders
            else {"failed": "missing"}
            for path in paths
        }

    host = Made({"file.list": listing, "file.stats": stats})
    result = renamed_projects(host, of(made, *others), UnusedVolumes(unused), CLOCK)
    assert isinstance(result, RenamedProjects)
    return result


def review(project: str, folder: str = "/builds/web") -> Container:
    """The database of a project that was named on purpose, unless it is called as its folder."""
    return service(volume=f"{project}_db", **{"project": project, "project.working_dir": folder})


BLOG = of_project("blog_db", "blog")
RENAMED: dict[str, tuple[RenamedProjects, list[tuple[str, str]]]] = {
    "renamed": (renamed(service(), BLOG), WARNING),
    "the other project has a folder": (renamed(service(), BLOG, folders=("/srv/blog",)), []),
    "the same folder, and a name given to it": (
        renamed(service(**{"project.working_dir": "/srv/blog"}), BLOG, folders=("/srv/blog",)),
        WARNING,
    ),
    "the other project has containers": (
        renamed(service(), BLOG, others=(service(project="blog"),)),
        [],
    ),
    "many former projects": (renamed(service(), BLOG, of_project("ci-7_db", "ci-7")), []),
    "a volume of another name": (renamed(service(), of_project("blog_x", "blog", "x")), []),
    "data of another program": (renamed(service(), BLOG, entries=MYSQL), []),
    "changed since": (renamed(service(), BLOG, changed=60), []),
    "a short life": (renamed(service(), BLOG, changed=29.5 * DAY), []),
    "an old container": (renamed(service(30 * DAY), BLOG, changed=31 * DAY), []),
    "a name of its own": (renamed(service(volume="db-data"), BLOG), []),
    "deployments of one pipeline": (
        renamed(review("review-18"), of_project("review-17_db", "review-17")),
        [],
    ),
    "a name that was made longer": (renamed(review("blog-eu"), BLOG), WARNING),
    "folders of releases": (
        renamed(review("shop-18", "/srv/shop-18"), of_project("shop-17_db", "shop-17")),
        WARNING,
    ),
    "a project without a folder": (renamed(service(**{"project.working_dir": ""}), BLOG), []),
}


@pytest.mark.parametrize(("left", "expected"), RENAMED.values(), ids=RENAMED)
def test_renamed_projects(left: RenamedProjects, expected: list[tuple[str, str]]) -> None:
    assert rows(judge("container.data-left-behind", renamed=left, clock=CLOCK)) == expected


# -- RabbitMQ ----------------------------------------

HOST = "0" * 12
OWN, FORMER = f"rabbit@{HOST}", "rabbit@3545369b0be7"


def broker(destination: str = "/var/lib/rabbitmq", **config: Any) -> Container:
    mount = {"Type": "volume", "Name": "mq", "Source": place("mq"), "Destination": destination}
    given = {"Hostname": HOST, **config}
    return container("db", Id=HOST + "1" * 52, Created=at(HOUR), Mounts=[mount], Config=given)


def nodes(made: Container, *names: str, changed: float = 2 * HOUR) -> LeftNodes:
    def stats(question: AnyQuestion) -> Json:
        paths = question.args["paths"]
        assert isinstance(paths, list)
        return {str(path): {"type": "folder", "mtime": NOW - changed} for path in paths}

    listing = {"entries": [{"name": name, "type": "folder"} for name in names]}
    found = left_nodes(Made({"file.list": listing, "file.stats": stats}), of(made))
    assert isinstance(found, LeftNodes)
    return found


NODES: dict[str, tuple[LeftNodes, list[tuple[str, str]]]] = {
    "another node": (nodes(broker(), OWN, FORMER, f"{OWN}-plugins-expand"), WARNING),
    "the folder itself is mounted": (
        nodes(broker("/bitnami/rabbitmq/mnesia"), OWN, FORMER),
        WARNING,
    ),
    "its first start": (nodes(broker(), OWN, f"{OWN}-plugins-expand"), []),
    "not its own": (nodes(broker(), FORMER), []),
    "a host name of its own": (nodes(broker(Hostname="mq"), OWN, FORMER), []),
    "a node name of its own": (nodes(broker(Env=["RABBITMQ_NODENAME=a@b"]), OWN, FORMER), []),
    "another mount": (nodes(broker("/data"), OWN, FORMER), []),
    "changed since": (nodes(broker(), OWN, FORMER, changed=60), []),
}


@pytest.mark.parametrize(("left", "expected"), NODES.values(), ids=NODES)
def test_data_that_rabbitmq_left_under_another_host_name(
    left: LeftNodes, expected: list[tuple[str, str]]
) -> None:
    assert rows(judge("container.data-left-behind", nodes=left, clock=CLOCK)) == expected
