"""The check in checks/container/compose/number_misread.py."""

from __future__ import annotations

import pytest

from diagnose.questions.compose import MisreadNumber, WrittenService
from tests.checks.container.written import FILE, made, project
from tests.judging import judge, rows

PIN = MisreadNumber(FILE, "PIN=0123456", "PIN=42798")
SECRET = MisreadNumber(FILE, "PIN=<redacted:pin:aa>", "PIN=<redacted:pin:bb>")
FOUND = [("warning", "shop-web-1")]
CASES: dict[str, tuple[MisreadNumber, str, list[tuple[str, str]]]] = {
    "the number": (PIN, "PIN=42798", FOUND),
    "the text": (PIN, "PIN=0123456", []),
    "another value": (PIN, "PIN=7", []),
    "not there": (PIN, "CODE=42798", []),
    "a secret": (SECRET, "PIN=<redacted:token:bb>", FOUND),
    "another secret": (SECRET, "PIN=<redacted:pin:cc>", []),
}


@pytest.mark.parametrize(("number", "variable", "expected"), CASES.values(), ids=CASES)
def test_number(number: MisreadNumber, variable: str, expected: list[tuple[str, str]]) -> None:
    web = made("web", Config={"Env": [variable]})
    projects = project(web, services=[WrittenService("web", numbers=[number])])
    result = judge("container.number-misread", written_projects=projects)
    assert rows(result) == expected
    if expected:
        edit = result.findings[0].variables["edit"]
        assert "(PIN):" in edit
        assert "0123456" not in edit


def test_a_service_that_extends_another_one_is_left_out() -> None:
    web = made("web", Config={"Env": ["PIN=42798"]})
    service = WrittenService("web", numbers=[PIN], is_partial=True)
    result = judge("container.number-misread", written_projects=project(web, services=[service]))
    assert rows(result) == []
