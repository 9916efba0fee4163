"""The report as people read it: what fits, what is cut, what is said in which words."""

from __future__ import annotations

import io
import re

import msgspec
import pytest

from diagnose.model import (
    HOST,
    Json,
    PartLookedAt,
    RecentChange,
    Report,
    Reported,
    Severity,
    Subject,
    Verdict,
    container,
)
from diagnose.render.formats import markdown
from diagnose.render.words import clean, fitting, middle, short_ids
from tests.reports import found, report, text

ID = "9f3c" * 16


@pytest.mark.parametrize("width", [0, 1, 5, 10, 29, 30, 39])
def test_a_terminal_of_a_few_columns_gets_the_whole_report(width: int) -> None:
    finding = full(("overlay2", 9 * 10**9, "in use"), ("a-rather-long-volume-name", 1, ""))
    assert "a-rath" in text(report(finding), width=width)
    assert text(report(finding), width=width) == text(report(finding), width=40)


def full(*parts: tuple[str, int, str]) -> Reported:
    attribution: Json = [
        {"name": name, "bytes": count, "note": note} for name, count, note in parts
    ]
    return found(
        "storage.disk-full", Subject("filesystem", "/srv"), evidence={"attribution": attribution}
    )


def test_a_healthy_host_is_one_line():
    said = text(report(verdicts=(Verdict.PASSED, Verdict.PASSED, Verdict.SKIPPED)), 0)
    assert said == (
        "OK shop-3: nothing found, 2 checks passed, 1 does not apply, in 0.6 s"
        " - Docker 28.5.2, 13 containers (9 running), data root /var/lib/docker\n"
    )


def test_the_first_line_is_broken_for_people_alone(monkeypatch: pytest.MonkeyPatch):
    """Monitoring reads one line; whoever has set COLUMNS has said how wide a row may be."""
    long = found("storage.disk-full", Subject("filesystem", "/srv/" + "x" * 30))
    whole = text(report(long)).splitlines()[0]
    assert len(whole) > 80
    monkeypatch.setenv("COLUMNS", "80")
    first, second, *_ = text(report(long)).splitlines()
    assert max(len(first), len(second)) <= 80
    assert f"{first} {second.strip()}" == whole


def test_a_calm_report_says_of_what_only_a_part_was_looked_at() -> None:
    parts = (PartLookedAt("web servers", 8, 23), PartLookedAt("compose projects", 20, 31))
    said = text(msgspec.structs.replace(report(), parts_looked_at=parts), 0)
    assert "looked at only 8 of 23 web servers, 20 of 31 compose projects" in said


def test_a_calm_report_says_how_to_ask_on():
    advice = found("daemon.live-restore-off", Subject("daemon", "docker"), "off", Severity.advice)
    calm, critical = text(report(advice), 0), text(report(full()), 2)
    assert calm.endswith(
        "Does something fail all the same?\n"
        '  diagnose ask "THE ERROR MESSAGE"   what it means on this host\n'
        "  diagnose path CONTAINER HOST:PORT  each hop of a connection\n"
    )
    assert "all the same" not in critical


def test_a_calm_report_shows_what_was_changed_to_people(monkeypatch: pytest.MonkeyPatch) -> None:
    calm = report()
    changes = tuple(
        RecentChange(calm.taken_at - 60 * minutes, f"/srv/app/{minutes}.yml", "file")
        for minutes in range(1, 8)
    )
    changed = msgspec.structs.replace(calm, changes=changes)
    assert "changed recently" not in text(changed, 0)
    monkeypatch.setenv("COLUMNS", "80")
    said = text(changed, 0)
    assert "changed recently\n  1 min ago: /srv/app/1.yml\n" in said
    assert "  5 min ago: /srv/app/5.yml\n  and 2 earlier changes\n" in said
    assert 'diagnose ask "THE ERROR MESSAGE"' in said


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_share_is_one_line_and_no_number_is_cut(width: int):
    notes = ", ".join(
        f"{name} {count}.0 GiB" for name, count in (("audit-stream-of-the-shop", 20), ("web", 1))
    )
    shares = (
        ("container logs", 21 << 30, notes),
        ("writable layers", 1 << 20, "web 1.0 MiB"),
        ("other", 0, ""),
    )
    rows = text(report(full(*shares)), width=width).splitlines()
    said = [row for row in rows if re.match(r"    (container logs|writable layers|other)  ", row)]
    assert len(said) == 3
    assert all(len(row) <= width for row in said)
    assert re.search(r"21\.0 GiB  #+  aud.*op 20\.0 GiB", said[0])
    assert re.search(r"1\.0 MiB  # +web 1\.0 MiB", said[1])
    assert "#" not in said[2]
    assert ("web 1.0 GiB" in said[0]) == (width == 120)


def test_full_ids_are_cut_where_people_read_and_whole_where_they_copy():
    log = f"/var/lib/docker/containers/{ID}/{ID}-json.log"
    finding = found(
        "logging.unbounded",
        container("audit"),
        evidence={f"stat({log})": 293000078},
        variables={"container": "audit", "log": log},
    )
    said = text(report(finding), width=120)
    assert f"stat(/var/lib/docker/containers/{ID[:12]}/{ID[:12]}-json.log): 279 MiB" in said
    prose = [
        line
        for line in said.splitlines()
        if not line.startswith("    ") or line.startswith("    stat(")
    ]
    assert not [line for line in prose if ID in line]
    assert short_ids(f"sha256:{ID}0") == f"sha256:{ID}0"
    assert log in markdown_of(report(finding))


def test_evidence_is_said_in_words():
    evidence = {
        "servers": [],
        "Config": {"Type": "json-file", "Config": {}},
        "disk": {"used_pct": 97.2, "available": 19779584},
        "statvfs(/)": {"used_pct": 97.2},
        "OomKilled": False,
        "limit": None,
    }
    said = text(report(found("kernel.hung-task", HOST, evidence=evidence)))
    rows = [
        "servers: none",
        "Config: Type json-file, Config none",
        "disk: used_pct 97.2, available 18.9 MiB",
        "OomKilled: false",
        "limit: not set",
    ]
    assert all(f"    {row}\n" in said for row in rows), said
    assert "statvfs" not in said


@pytest.mark.parametrize(
    "layers",
    [
        "failed to create task for container: failed to create shim task: OCI runtime create failed: ",
        "OCI runtime create failed: container_linux.go:380: starting container process caused: ",
    ],
    ids=["28.5", "20.10"],
)
def test_an_error_of_the_engine_is_shown_without_who_passed_it_on(layers: str) -> None:
    problem = 'exec: "/app": permission denied'
    finding = found(
        "container.entrypoint-forbidden", HOST, evidence={"State.Error": layers + problem}
    )
    assert f"    State.Error: ... {problem}\n" in text(report(finding))


def test_an_error_that_nobody_passed_on_is_shown_whole() -> None:
    error = "driver failed programming external connectivity on endpoint web: address in use"
    finding = found("container.start-refused", HOST, evidence={"State.Error": error})
    said = " ".join(text(report(finding)).split())
    assert f"State.Error: {error}" in said


def test_many_alike_are_one_and_the_rest_a_number():
    findings = [
        found("container.oom-killed", container(f"worker-{number}")) for number in range(40)
    ]
    said = text(report(*findings))
    assert said.count("CRITICAL  container.oom-killed") == 1
    assert " and 37 more" in said


LOOP = "container.restart-loop"


def loops(*logs: str) -> list[Reported]:
    return [
        found(LOOP, container(f"app-{place}"), evidence={"log": log})
        for place, log in enumerate(logs)
    ]


def test_failures_with_messages_of_their_own_stand_apart():
    logs = ("no such table: users", "missing key SECRET", "bad option --x", "port 80 is taken")
    said = text(report(*loops(*logs)))
    assert said.count(f"CRITICAL  {LOOP}") == len(logs)
    assert all(f"log: {log}" in said for log in logs)


def test_failures_with_one_message_are_one():
    said = text(report(*loops(*(f"app-{n}: db-{n}:5432 refused at 10:0{n}" for n in range(5)))))
    assert said.count(f"CRITICAL  {LOOP}") == 1


def test_too_many_messages_are_listed_in_one_block():
    logs = [
        f"{word} was not found"
        for word in ("alpha", "beta", "gamma", "delta", "eps", "zeta", "eta", "theta")
    ]
    said = text(report(*loops(*logs)))
    assert said.count(f"CRITICAL  {LOOP}") == 1
    assert "log: alpha was not found" in said
    assert "app-1: beta was not found" in said
    assert "theta" not in said


def test_a_long_name_is_cut_in_its_middle():
    assert middle("shop-eu-west-1-checkout-worker-17", 16) == "shop-eu...ker-17"


def test_a_long_list_ends_with_how_many_more_there_are():
    addresses = ", ".join(f"172.{number}.0.1" for number in range(16, 32))
    assert fitting(addresses, 60) == "172.16.0.1, 172.17.0.1, 172.18.0.1, 172.19.0.1 and 12 more"
    assert fitting(addresses, 500) == addresses
    assert fitting("none of api, db, web, mq or cache answers it", 20) == "none of ... it"


def test_a_fix_of_many_lines_is_followed_and_a_short_one_shown():
    variables = {"container": "batch", "forgotten": "batch"}
    long = text(report(found("container.unhealthy", container("batch"), variables=variables)))
    assert "    diagnose follow container.unhealthy\n" in long
    assert "docker wait" not in long
    short = text(
        report(found("container.crashed", container("batch"), variables={"container": "batch"}))
    )
    assert "    docker start batch\n" in short
    assert "diagnose follow" not in short


def markdown_of(what: Report) -> str:
    stream = io.StringIO()
    markdown.render(what, 2, stream)
    return stream.getvalue()


def test_a_heading_is_nothing_that_is_said_of_a_command():
    variables = {"container": "batch", "program": "/app", "image": "batch:3", "file": "batch:/app"}
    said = markdown_of(
        report(found("container.entrypoint-forbidden", container("batch"), variables=variables))
    )
    assert "Check first" not in said
    assert "Fix (disruptive)" in said
    assert "Confirm" not in said


def test_a_tab_of_a_log_is_a_space() -> None:
    assert clean("error:\tz2m: \x1bno ack") == "error: z2m: ?no ack"
