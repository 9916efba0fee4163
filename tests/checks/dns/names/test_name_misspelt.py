"""Names that are almost a neighbour's: checks/dns/names/name_misspelt.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.names.misspelt_names import misspelt_names
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Json
from diagnose.questions import Question
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 1_800_000_000.0
DENIED: Json = {"answered": True, "rcode": "NXDOMAIN", "answers": [], "ms": 1.0, "sent": 1}
KNOWN: Json = {**DENIED, "rcode": "NOERROR", "answers": ["192.0.2.9"]}
WAITS = "Waiting for database connection..."


def member(name: str, *env: str, project: str = "", **config: Any) -> Container:
    labels = {"com.docker.compose.project": project, "com.docker.compose.service": name}
    networks = {"Networks": {"shop": {"IPAddress": "10.0.0.2"}}}
    settings = {"Env": list(env), **({"Labels": labels} if project else {}), **config}
    return container(name, NetworkSettings=networks, Config=settings)


def found(
    caller: Container,
    *neighbours: Container,
    line: str = WAITS,
    logged: str = "",
    known: str = "",
    search: tuple[str, ...] = (),
) -> list[tuple[str, str]]:
    """What is found of a caller; known: the one name that the resolver knows."""

    def answer(question: Question[Any]) -> Json:
        return KNOWN if getattr(question, "name", "") == known else DENIED

    conf = ResolvConf(("127.0.0.11",), search=search)
    failed = {caller.id: (FailedName(logged, line),)} if logged else {}
    lines = tuple(RecentLine(NOW - 9 + number, line) for number in range(3))
    names = misspelt_names(
        Made({"dns.query": answer}),
        of(caller, *neighbours),
        Resolvers(conf, conf, (), {caller.id: conf}),
        FailedNames(failed),
        RecentLogs({caller.id: lines}),
        Clock(NOW, NOW - 90_000),
    )
    return rows(judge("dns.name-misspelt", misspelt_names=names))


FOUND = [("warning", "app")]
NAMES = {
    "a sign": ("DB_HOST=misp_db", ["misp-db"], FOUND),
    "a letter too many": ("DB_HOST=postgress", ["postgres"], FOUND),
    "in an address": ("DATABASE_URL=postgres://u:p@postgress:5432/x", ["postgres"], FOUND),
    "the right name": ("DB_HOST=misp-db", ["misp-db"], []),
    "another case, which the engine does not mind": ("DB_HOST=Misp-DB", ["misp-db"], []),
    "another name": ("DB_HOST=mailer", ["misp-db"], []),
    "two that are alike": ("DB_HOST=misp_db", ["misp-db", "mispdb"], []),
    "another number": ("DB_HOST=node1", ["node2", "node3"], []),
    "a name of several words of DNS": ("DB_HOST=misp_db.lan", ["misp-db"], []),
    "its own name": ("SERVER_HOST=misp_db", ["misp-db"], []),
    "with the project": ("DB_HOST=shop_db", ["db"], FOUND),
    "without the project": ("DB_HOST=db", ["shop-db-1"], FOUND),
    "a longer name behind it": ("DB_HOST=db", ["db-admin"], []),
}


@pytest.mark.parametrize(("variable", "others", "expected"), NAMES.values(), ids=NAMES)
def test_names_in_variables(
    variable: str, others: list[str], expected: list[tuple[str, str]]
) -> None:
    assert found(member("app", variable), *map(member, others)) == expected


def test_what_resolves_is_no_slip() -> None:
    app, db = member("app", "DB_HOST=misp_db"), member("misp-db")
    assert found(app, db, known="misp_db") == []
    assert found(app, db, known="misp_db.office.lan", search=("office.lan",)) == []
    assert found(app, db, search=("office.lan",)) == FOUND


def test_name_in_the_log_is_left_to_its_own_finding() -> None:
    assert found(member("app", "DB_HOST=misp_db"), member("misp-db"), logged="misp_db") == []


def test_advice_where_nothing_complains() -> None:
    caller = member("app", "DB_HOST=misp_db")
    assert found(caller, member("misp-db"), line="started") == [("advice", "app")]


def test_projects_are_not_mixed() -> None:
    caller = member("app", "DB_HOST=db", project="shop")
    assert found(caller, member("blog-db", project="blog")) == []
    assert found(caller, member("shop-db", project="shop")) == FOUND
