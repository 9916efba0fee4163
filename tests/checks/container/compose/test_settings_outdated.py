"""container.settings-outdated: variables of a container and of the files that compose reads."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.compose.outdated_contents import outdated_contents
from diagnose.evidence.containers.compose.outdated_variables import (
    MOST,
    OutdatedVariables,
    outdated_variables,
)
from diagnose.evidence.containers.inspect import GraphDriver
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Verdict
from diagnose.phrases import unix
from diagnose.questions.compose import WrittenMount, WrittenService
from tests.checks.container.written import made, project
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

MADE, STARTED = "2026-01-02T03:00:00Z", "2026-01-02T05:00:00Z"
BETWEEN, BEFORE, LATER = (unix(f"2026-01-02T0{hour}:00:00Z") for hour in (4, 2, 6))
NEWER = unix("2026-01-02T05:30:00Z")
"""After the last start."""
ENV = "/srv/shop/mail.env"
FILE = "/srv/shop/compose.yaml"
FOUND = [("warning", "web")]
ADVICE = [("advice", "web")]
HOST = "MAIL_HOST=new"
SECRET = "<redacted:password:{}>"


def _web(started: str = STARTED, *, env: list[str] | None = None, **labels: str) -> Container:
    marks = {
        "project": "shop",
        "service": "web",
        "project.working_dir": "/srv/shop",
        "project.config_files": FILE,
        **labels,
    }
    return container(
        Created=MADE,
        State={"Status": "running", "Pid": 100, "StartedAt": started},
        Config={
            "Env": env or ["MAIL_HOST=old", "MAIL_PORT=587"],
            "Labels": {f"com.docker.compose.{key}": value for key, value in marks.items()},
        },
    )


def _judge(web: Container, at: float | None, *variables: str) -> tuple[Made, Any]:
    found = [
        {"path": ENV, "variable": variable.lstrip("$"), "is_reference": variable.startswith("$")}
        for variable in variables
    ]
    host = Made(
        {
            "file.compose": [{"path": FILE, "mtime": BEFORE}, {"path": ENV, "mtime": at}],
            "file.compose-variables": found,
        }
    )
    clock = Clock(wall=LATER or 0.0, booted=0.0)
    items = outdated_variables(host, of(web))
    return host, judge("container.settings-outdated", outdated_variables=items, clock=clock)


CASES: dict[str, tuple[Container, float | None, list[str], list[tuple[str, str]]]] = {
    "restarted after the change": (_web(), BETWEEN, [HOST, "MAIL_PORT=587"], FOUND),
    "one variable alone": (_web(), BETWEEN, [HOST], FOUND),
    "the same values": (_web(), BETWEEN, ["MAIL_HOST=old", "MAIL_PORT=587"], []),
    "not restarted since": (_web(), NEWER, [HOST], ADVICE),
    "changed before it was made": (_web(), BEFORE, [HOST], []),
    "never restarted": (_web(MADE), BETWEEN, [HOST], ADVICE),
    "changed a moment ago": (_web(), (LATER or 0.0) - 60, [HOST], []),
    "a variable that it does not have": (_web(), BETWEEN, ["NEW=1"], []),
    "all values differ": (_web(), BETWEEN, [HOST, "MAIL_PORT=25"], FOUND),
    "all references differ": (_web(), BETWEEN, ["$" + HOST, "$MAIL_PORT=25"], []),
    "a reference differs, one is equal": (_web(), BETWEEN, ["$" + HOST, "$MAIL_PORT=587"], FOUND),
    "one reference": (_web(), BETWEEN, ["$" + HOST, "$NEW=1"], FOUND),
    "a boolean of libyaml": (_web(env=["MAIL=yes"]), BETWEEN, ["MAIL=true"], []),
    "a time of libyaml": (_web(env=["AT=22:00"]), BETWEEN, ["AT=1320"], []),
    "another number": (_web(env=["MAIL_PORT=25"]), BETWEEN, ["MAIL_PORT=587"], FOUND),
    "a run of one command": (_web(oneoff="True"), BETWEEN, [HOST], []),
    "of another env file": (
        _web(**{"project.environment_file": "/srv/shop/live.env"}), BETWEEN, [HOST], [],
    ),
    "made elsewhere": (_web(**{"project.config_files": "stdin"}), BETWEEN, [HOST], []),
    "another secret": (
        _web(env=[f"PASSWORD={SECRET.format('aa')}"]),
        BETWEEN, [f"PASSWORD={SECRET.format('bb')}"], FOUND,
    ),
    "the same secret": (
        _web(env=[f"PASSWORD={SECRET.format('aa')}"]),
        BETWEEN, ["PASSWORD=<redacted:token:aa>"], [],
    ),
    "a secret in one of both": (
        _web(env=["PASSWORD=a"]), BETWEEN, [f"PASSWORD={SECRET.format('bb')}"], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("web", "at", "variables", "expected"), CASES.values(), ids=CASES)
def test_variables(
    web: Container, at: float | None, variables: list[str], expected: list[tuple[str, str]]
) -> None:
    _, result = _judge(web, at, *variables)
    assert rows(result) == expected


def test_projects_that_are_not_looked_at_are_named() -> None:
    members = [
        msgspec.structs.replace(
            _web(**{"project.working_dir": f"/srv/{number}"}),
            id=f"{number:064}",
            raw_name=f"/w{number}",
        )
        for number in range(MOST + 1)
    ]
    host = Made({"file.compose": [], "file.compose-variables": []})
    clock = Clock(wall=LATER or 0.0, booted=0.0)
    found = outdated_variables(host, of(*members))
    result = judge("container.settings-outdated", outdated_variables=found, clock=clock)
    assert result.verdict is Verdict.UNKNOWN
    assert [unexamined.subject.name for unexamined in result.unexamined] == [f"w{MOST}"]


def test_what_is_asked_and_said() -> None:
    host, _ = _judge(_web(**{"project.config_files": "stdin"}), BETWEEN, HOST)
    assert not host.asked
    host, _ = _judge(_web(), BEFORE, HOST)
    assert [question.kind for question in host.asked] == ["file.compose"]
    _, result = _judge(_web(env=["A=1", f"PASSWORD={SECRET.format('aa')}"]), BETWEEN, "A=2")
    (finding,) = result.findings
    assert finding.evidence[f"{ENV}: A"] == '"2", and the container has "1"'
    assert finding.variables["project"] == "shop"


PARTS: dict[str, tuple[WrittenService, list[tuple[str, str]]]] = {
    "a new port": (WrittenService("web", FILE, ports=["9090:80"]), FOUND),
    "a port on an address": (WrittenService("web", FILE, ports=["127.0.0.1:9090:80/tcp"]), FOUND),
    "the port that it has": (WrittenService("web", FILE, ports=["8080:80"]), []),
    "its target alone": (WrittenService("web", FILE, ports=["80"]), []),
    "a range": (WrittenService("web", FILE, ports=["9000-9001:80-81"]), []),
    "a variable": (WrittenService("web", FILE, ports=["$PORT:80"]), []),
    "a new mount": (WrittenService("web", FILE, mounts=[WrittenMount("/x", "/srv/x")]), FOUND),
    "another source": (WrittenService("web", FILE, mounts=[WrittenMount("/a", "/srv/b")]), FOUND),
    "the same source": (WrittenService("web", FILE, mounts=[WrittenMount("/a", "/srv/a/")]), []),
    "its volume": (WrittenService("web", FILE, mounts=[WrittenMount("/v", "data")]), []),
    "another volume": (WrittenService("web", FILE, mounts=[WrittenMount("/v", "other")]), FOUND),
    "a volume without a name": (WrittenService("web", FILE, mounts=[WrittenMount("/v")]), []),
    "another image": (WrittenService("web", FILE, image="shop:2"), FOUND),
    "an image that is built": (WrittenService("web", FILE, image="shop:2", builds=True), []),
    "more that is elsewhere": (WrittenService("web", FILE, ports=["9:9"], is_partial=True), []),
}


@pytest.mark.parametrize(("service", "expected"), PARTS.values(), ids=PARTS)
def test_parts(service: WrittenService, expected: list[tuple[str, str]]) -> None:
    volume = {"Type": "volume", "Name": "shop_data", "Source": "/v", "Destination": "/v"}
    web = made(
        "web",
        Created=MADE,
        State={"Status": "running", "Pid": 100, "StartedAt": STARTED},
        Config={"Image": "shop:1"},
        HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}},
        Mounts=[{"Type": "bind", "Source": "/srv/a", "Destination": "/a"}, volume],
    )
    not_restarted = [("advice", name) for _, name in expected]
    for at, found in ((BETWEEN, expected), (NEWER, not_restarted), (LATER, []), (BEFORE, [])):
        result = judge(
            "container.settings-outdated",
            outdated_variables=OutdatedVariables(),
            written_projects=project(web, services=[service], changed={FILE: at or 0.0}),
            clock=Clock(wall=LATER or 0.0, booted=0.0),
        )
        assert [
            (severity, name.removeprefix("shop-").removesuffix("-1"))
            for severity, name in rows(result)
        ] == found


# -- files that compose has copied ----------------------------------------

RELAY = ["/etc/msmtprc"]
CONTENTS = {
    "restarted after the change": (STARTED, BETWEEN, RELAY, [("warning", "web")]),
    "changed long ago, and not restarted": (MADE, BETWEEN, RELAY, [("advice", "web")]),
    "changed a moment ago": (MADE, (LATER or 0.0) - 60, RELAY, []),
    "changed before it was made": (STARTED, BEFORE, RELAY, []),
    "the same content": (STARTED, BETWEEN, [], []),
}


@pytest.mark.parametrize(
    ("started", "at", "differing", "expected"), CONTENTS.values(), ids=CONTENTS
)
def test_contents_of_configs(
    started: str, at: float, differing: list[str], expected: list[tuple[str, str]]
) -> None:
    web = msgspec.structs.replace(
        _web(started), graph_driver=GraphDriver(data={"UpperDir": "/layers/web/diff"})
    )
    files = project(web, services=[WrittenService("web", contents=["relay"])])
    host = Made({"file.compose": [{"path": FILE, "mtime": at}], "file.compose-contents": differing})
    result = judge(
        "container.settings-outdated",
        outdated_variables=OutdatedVariables(),
        written_projects=files,
        contents=outdated_contents(host, files),
        clock=Clock(wall=LATER or 0.0, booted=0.0),
    )
    assert rows(result) == expected
