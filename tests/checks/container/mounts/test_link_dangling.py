"""The check in checks/container/mounts/link_dangling.py, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.mounts.data.dangling_links import dangling_links
from diagnose.model import Failed
from tests.checks.container.evidence import CLOCK, container_in, failed_with_log
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge

DATA = {"Type": "volume", "Name": "pg", "Source": "/v/pg", "Destination": "/data", "RW": True}
WAL = {"Type": "volume", "Name": "wal", "Source": "/v/wal", "Destination": "/opt/wal", "RW": True}
SAID = 'FATAL:  required WAL directory "pg_wal" does not exist'
FOUND = ("/opt/wal/pg_wal", "", "")
CASES: dict[str, tuple[dict[str, Any], tuple[str, str, str] | None]] = {
    "a target in a layer that is gone": ({}, FOUND),
    "a variable names it": ({"env": ["WALDIR=/opt/wal"]}, (*FOUND[:1], "WALDIR", "")),
    "an earlier container has it": ({"former": True}, (*FOUND[:1], "", "before")),
    "a target in the container": ({"layer": True}, None),
    "a target in a mount": ({"mounts": [DATA, WAL], "there": True}, None),
    "a target that its mount lacks": ({"mounts": [DATA, WAL]}, FOUND),
    "a link to a link": ({"chain": "/opt/wal/pg_wal"}, FOUND),
    "a link to a link to what is there": ({"chain": "/data"}, None),
    "a folder": ({"kind": "folder"}, None),
    "another name in the log": ({"said": SAID.replace("pg_wal", "pg_stat")}, None),
    "another error": ({"said": 'FATAL: "pg_wal" is full'}, None),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_a_link_that_the_log_names(
    case: dict[str, Any], expected: tuple[str, str, str] | None
) -> None:
    db, log_tails = failed_with_log(
        case.get("said", SAID),
        Mounts=case.get("mounts", [DATA]),
        Config={"Image": "postgres:15", "Env": case.get("env", [])},
    )
    before = container_in("exited", name="before", Config={"Image": "postgres:15"})

    def stats(question: Any) -> dict[str, object]:
        first = "/data/second" if "chain" in case else "/opt/wal/pg_wal"
        own: dict[str, object] = {
            "/v/pg/pg_wal": {"type": "link", "link": first},
            "/v/pg/second": {"type": "link", "link": case.get("chain")},
        }
        if case.get("there"):
            own["/v/wal/pg_wal"] = {"type": "folder"}
        return {path: own.get(path, {"failed": "missing"}) for path in question.paths}

    def archive(question: Any) -> Any:
        is_there = case.get("layer") if question.id == db.id else case.get("former")
        return {"type": "directory"} if is_there else Failed("gone", "no such file")

    entry = {"name": "pg_wal", "type": case.get("kind", "link")}
    host = Made({"file.stats": stats, "file.list": {"entries": [entry]}, "api.archive": archive})
    links = dangling_links(host, of(db, before), log_tails)
    result = judge(
        "container.link-dangling", dangling_links=links, log_tails=log_tails, clock=CLOCK
    )
    shown = [
        (link.target, link.variable, link.former.name if link.former is not None else "")
        for link in links
    ]
    assert shown == ([expected] if expected else [])
    assert [str(finding.subject.name) for finding in result.findings] == (
        [db.name] if expected else []
    )
