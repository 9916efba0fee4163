"""The check in checks/container/compose/variable_overruled.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.compose.overruled_variables import overruled_variables
from diagnose.questions.compose import WrittenService
from tests.checks.container.written import made, project
from tests.hosts import Made
from tests.judging import judge, rows

FOUND = [("warning", "shop-web-1")]
SECRET = "KEY=<redacted:key:{}>"
CASES: dict[str, tuple[str, str, str, str, list[tuple[str, str]]]] = {
    "another value": ("A=old", "A=old", "A=new", "/srv/shop/.env", FOUND),
    "the same value": ("A=old", "A=old", "A=old", "/srv/shop/.env", []),
    "of the file itself": ("A=old", "A=old", "A=new", "/srv/shop/compose.yaml", []),
    "set to another one": ("A=own", "A=old", "A=new", "/srv/shop/.env", []),
    "a secret": (SECRET.format("a"), SECRET.format("a"), SECRET.format("b"), "/srv/shop/.env", FOUND),
    "a secret in one": (SECRET.format("a"), SECRET.format("a"), "KEY=b", "/srv/shop/.env", []),
}  # fmt: skip


@pytest.mark.parametrize(
    ("own", "of_host", "written", "path", "expected"), CASES.values(), ids=CASES
)
def test_overruled(
    own: str, of_host: str, written: str, path: str, expected: list[tuple[str, str]]
) -> None:
    web = made("web", Config={"Env": [own]})
    host = Made(
        {
            "host.shell-variables": [{"path": "/etc/environment", "variable": of_host}],
            "file.compose-variables": [{"path": path, "variable": written}],
        }
    )
    found = overruled_variables(host, project(web, services=[WrittenService("web")]))
    result = judge("container.variable-overruled", overruled_variables=found)
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables["source"] == "/etc/environment"


def test_nothing_is_read_where_the_host_sets_nothing() -> None:
    web = made("web", Config={"Env": ["A=1"]})
    host = Made({"host.shell-variables": []})
    overruled_variables(host, project(web, services=[WrittenService("web")]))
    assert [question.kind for question in host.asked] == ["host.shell-variables"]
