"""Compose files that are newer than a failed container, and logs to which its output points."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.compose.compose_files import (
    ChangedFile,
    ComposeFiles,
    compose_files,
)
from diagnose.evidence.containers.logs.own_files.other_logs import other_log
from diagnose.evidence.containers.logs.tail import LogTail
from tests.checks.container.evidence import CLOCK, NOW, OPTIONS, QUIET, container_in, moment
from tests.hosts import Made
from tests.inspected import bind, of
from tests.judging import judge

PROJECT = "com.docker.compose.project"


def service(files: str = "/srv/shop/compose.yaml", **parts: Any) -> Any:
    labels = {
        PROJECT: "shop",
        f"{PROJECT}.working_dir": "/srv/shop",
        f"{PROJECT}.config_files": files,
        "com.docker.compose.service": "api",
    }
    return container_in("exited", code=1, Created=moment(600), Config={"Labels": labels}, **parts)


def host(**ages: float) -> Made:
    """A host with files of these ages in the project's folder."""

    def stats(question: Any) -> Any:
        known = {path.rpartition("/")[2].replace(".", ""): path for path in question.paths}
        answer: dict[str, Any] = {path: {"failed": "missing"} for path in question.paths}
        for name, age in ages.items():
            if name in known:
                answer[known[name]] = {"type": "file", "mtime": NOW - age}
        return answer

    return Made({"file.stats": stats})


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ({"composeyaml": 300.0}, "/srv/shop/compose.yaml"),
        ({"composeyaml": 300.0, "env": 60.0}, "/srv/shop/.env"),
        ({"composeyaml": 900.0, "env": 700.0}, ""),
        ({"composeyaml": 598.0}, ""),
        ({}, ""),
    ],
    ids=["the file", "its variables", "older", "written just then", "gone"],
)
def test_the_newest_file_that_was_changed(ages: dict[str, float], expected: str):
    container = service()
    answer = compose_files(host(**ages), of(container), CLOCK, OPTIONS)
    assert isinstance(answer, ComposeFiles)
    changed = answer.of(container)
    assert (changed.path if changed else "") == expected


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ("/srv/shop/compose.yaml", {"compose_file": "/srv/shop/compose.yaml"}),
        ("/srv/shop/compose.yaml,/srv/shop/prod.yaml", {}),
    ],
)
def test_compose_applies_a_change_of_its_one_file(files: str, command: dict[str, str]):
    container = service(files)
    only = files if "," not in files else ""
    changed = ChangedFile("/srv/shop/.env", 3600.0, only)
    result = judge(
        "container.exits-at-start",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        log_tails=QUIET,
        compose_files=ComposeFiles({container.id: changed}),
    )
    (finding,) = result.findings
    assert "/srv/shop/.env" in finding.evidence
    named = {name: finding.variables[name] for name in finding.variables if "compose_f" in name}
    assert named == command


POINTERS = {
    "a folder of a mount": (
        ["WARN: service ended. Check for errors in /x/log."],
        {"other_log": "/srv/data/log"},
    ),
    "a file of the container": (
        ["See /var/log/app/error.log for details."],
        {"log_inside": "web:/var/log/app/error.log"},
    ),
    "the path on the next line": (
        [
            "npm ERR! A complete log of this run can be found in:",
            "npm ERR!     /root/.npm/_logs/1.log",
        ],
        {"log_inside": "web:/root/.npm/_logs/1.log"},
    ),
    "where the program says that it logs": (
        ["Logging errors to /var/log/clickhouse-server/clickhouse-server.err.log"],
        {"log_inside": "web:/var/log/clickhouse-server/clickhouse-server.err.log"},
    ),
    "no log": (["See /usr/share/doc/app for details."], {}),
    "a stream": (["log: /dev/stdout"], {}),
    "a URL": (["see https://example.com/log/errors.log"], {}),
    "no pointer": (["rotated /var/log/app.log"], {}),
}


@pytest.mark.parametrize(("lines", "expected"), POINTERS.values(), ids=POINTERS.keys())
def test_the_log_to_which_the_output_points(lines: list[str], expected: dict[str, str]):
    container = container_in("exited", code=1, **bind("/srv/data"))
    assert other_log(container, LogTail(tuple(lines))) == expected
