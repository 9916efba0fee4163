"""The check in checks/container/compose/override_unused.py."""

from __future__ import annotations

import pytest

from diagnose.questions.compose import WrittenMount, WrittenService
from tests.checks.container.written import FILE, made, project
from tests.inspected import container
from tests.judging import judge, rows

OVERRIDE = "/srv/shop/compose.override.yaml"
FOUND = [("advice", "shop-web-1")]
CASES: dict[str, tuple[WrittenService, list[tuple[str, str]]]] = {
    "a port": (WrittenService("web", ports=["9090:80"]), FOUND),
    "a variable": (WrittenService("web", variables=["URL"]), FOUND),
    "what it has": (WrittenService("web", variables=["PATH"]), []),
    "another service": (WrittenService("db", ports=["9090:80"]), []),
    "the sources": (
        WrittenService("web", ports=["9090:80"], mounts=[WrittenMount("/src", "/srv/shop")]), [],
    ),
    "a build": (WrittenService("web", ports=["9090:80"], builds=True), []),
    "development": (WrittenService("web", ports=["9229:9229"], is_for_development=True), []),
    "sources over the program": (
        WrittenService("web", mounts=[WrittenMount("/app/src", "/srv/shop/src")]), [],
    ),
    "a folder beside the program": (
        WrittenService("web", mounts=[WrittenMount("/data", "/srv/shop/data")]), FOUND,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("service", "expected"), CASES.values(), ids=CASES)
def test_override(service: WrittenService, expected: list[tuple[str, str]]) -> None:
    web = made("web", Config={"Env": ["PATH=/bin"], "WorkingDir": "/app"})
    projects = project(
        web, services=[WrittenService("web")], override=OVERRIDE, overridden=[service]
    )
    assert rows(judge("container.override-unused", written_projects=projects)) == expected


def test_no_override() -> None:
    projects = project(made("web"), services=[WrittenService("web")])
    assert rows(judge("container.override-unused", written_projects=projects)) == []


MONDAY, TUESDAY = "2026-11-23T10:00:00Z", "2026-11-24T12:00:00Z"
DAYS = {
    "made in one run": (MONDAY, MONDAY, "", False),
    "made on two days": (MONDAY, TUESDAY, "", True),
    "one was made with the override": (MONDAY, TUESDAY, f",{OVERRIDE}", False),
}


@pytest.mark.parametrize(("first", "second", "files", "is_quiet"), DAYS.values(), ids=DAYS)
def test_an_override_that_is_left_out_again_and_again(
    first: str, second: str, files: str, is_quiet: bool
) -> None:
    web, db = made("web", Created=second), made("db", Created=first)
    labels = {**db.labels, "com.docker.compose.project.config_files": f"{FILE}{files}"}
    db = container("shop-db-1", Created=first, Config={"Labels": labels})
    projects = project(
        web,
        db,
        services=[WrittenService("web"), WrittenService("db")],
        override=OVERRIDE,
        overridden=[WrittenService("web", ports=["9090:80"])],
    )
    (finding,) = judge("container.override-unused", written_projects=projects).findings
    assert finding.is_quiet is is_quiet
