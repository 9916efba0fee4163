"""The report as people read it: what fits, what is cut, what is said in which words."""

from __future__ import annotations

import io
import re
from typing import Any

import msgspec
import pytest

from diagnose import registry
from diagnose.judgement import causes
from diagnose.model import (
    DAEMON,
    HOST,
    Check,
    Finding,
    HostFacts,
    Json,
    Report,
    Reported,
    Result,
    Severity,
    Subject,
    Verdict,
    container,
)
from diagnose.render import llm, markdown, terminal
from diagnose.render.words import middle, short_ids

ID = "9f3c" * 16


def found(
    id: str,
    subject: Subject,
    summary: str = "it is broken",
    severity: Severity = Severity.critical,
    caused_by: tuple[str, ...] = (),
    **fields: Any,
) -> Reported:
    check = Check(id, "T.", severity, lambda: None, (), (), caused_by, (), False)
    return Reported(
        f"{id}@{subject}", check, severity, Finding(subject, summary, **{"evidence": {}, **fields})
    )


def report(*findings: Reported, verdicts: tuple[Verdict, ...] = (Verdict.PASSED,)) -> Report:
    results = [Result(finding.check, Verdict.FOUND) for finding in findings]
    other = Check("kernel.hung-task", "T.", Severity.warning, lambda: None, (), (), (), (), False)
    results += [Result(other, verdict, why="x") for verdict in verdicts]
    head = HostFacts(
        "shop-3", "6.1.0", {"name": "Docker", "version": "28.5.2"}, 13, 9, "/var/lib/docker"
    )
    return Report("0.1.0", head, 1.8e9, 0.6, "live", causes.order(findings), tuple(results))


def text(what: Report, code: int = 2, width: int = 80) -> str:
    stream = io.StringIO()
    terminal.render(what, code, stream, color=False, width=width)
    return stream.getvalue()


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
    said = [row for row in rows if re.match(r"    (container logs|writable layers|other) ", row)]
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


def test_an_error_of_the_engine_takes_one_line() -> None:
    error = "failed to create task for container: " * 4 + 'exec: "/app": permission denied'
    finding = found("container.entrypoint-forbidden", HOST, evidence={"State.Error": error})
    (line,) = [row for row in text(report(finding)).splitlines() if "State.Error" in row]
    assert line.startswith("    State.Error: failed to create")
    assert line.endswith("permission denied")


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


def test_of_roots_that_weigh_the_same_the_widest_comes_first():
    disk = Subject("filesystem", "/srv")
    one, two = found("container.oom-killed", container("a")), found("storage.disk-full", disk)
    three = found("firewall.chains-missing", HOST)
    ordered = [finding.id for finding in causes.order([one, two, three])]
    assert ordered == ["firewall.chains-missing", "storage.disk-full", "container.oom-killed"]


def test_a_root_is_weighed_by_what_is_shown_under_it():
    net = Subject("network", "shop")
    rival = found(
        "network.subnet-overlaps-route", net, severity=Severity.warning, signs=frozenset({"dns"})
    )
    cut = found(
        "firewall.forwarding-off", HOST, touches=(net,), signs=frozenset({"dns", "timeout"})
    )
    effect = found(
        "dns.upstream-unreachable",
        net,
        caused_by=(rival.id, cut.id),
        signs=frozenset({"dns", "timeout"}),
    )
    lone = found("container.exec-format", container("web"))
    said = text(report(*causes.link([rival, cut, effect, lone], {})))
    shown = re.findall(r"^(?:CRITICAL|WARNING ) +(\S+)", said, re.MULTILINE)
    assert shown[-3:] == [cut.id, lone.id, rival.id]
    assert f"or caused by {rival.id} (shop)" in said


def test_what_took_the_engine_comes_before_what_was_seen_earlier():
    loop = found("container.restart-loop", container("db"), signs=frozenset({"refused"}))
    dead = found(
        "daemon.not-running",
        DAEMON,
        caused_by=("storage.disk-full",),
        signs=frozenset({"no-space"}),
    )
    disk = found(
        "storage.disk-full",
        Subject("filesystem", "/srv"),
        touches=(DAEMON,),
        signs=frozenset({"no-space"}),
    )
    ordered = [finding.id for finding in causes.link([loop, dead, disk], {})]
    assert ordered == [disk.id, dead.id, loop.id]
    assert [finding.id for finding in causes.order([loop, dead])] == [dead.id, loop.id]


def test_a_name_with_a_line_break_begins_no_line() -> None:
    """Neither a made-up finding, nor a command for the system that reads the output."""
    evil = "x\n::error::owned\nCRITICAL  made.up"
    broken = found("container.crashed", container(evil), f'container "{evil}" is down')
    text, context = io.StringIO(), io.StringIO()
    terminal.render(report(broken), 2, text, color=False)
    llm.render(report(broken), context)
    for shown in (text.getvalue(), context.getvalue()):
        assert "::error::owned" in shown
        lines = [line.strip() for line in shown.splitlines()]
        assert not [line for line in lines if line.startswith(("::error", "CRITICAL  made"))]


HEALED = {"State.Error": "access denied", "what fixes it": "add this host to /etc/exports"}


def test_a_cure_in_words_stands_where_no_command_heals():
    shown = text(
        report(found("container.start-refused", container("app"), evidence=HEALED, variables={}))
    )
    assert "fix (by hand): Add this host to /etc/exports." in shown
    assert "what fixes it" not in shown


def test_a_command_stands_before_the_words():
    variables = {"container": "app", "retry": "app"}
    shown = text(
        report(
            found("container.start-refused", container("app"), evidence=HEALED, variables=variables)
        )
    )
    assert "by hand" not in shown
    assert "docker start app" in shown
    assert "what fixes it: add this host to /etc/exports" in shown


def test_a_command_that_does_just_that_replaces_the_words():
    variables = {"container": "app", "layerless": "app"}
    done = found("container.start-refused", container("app"), evidence=HEALED, variables=variables)
    assert "what fixes it" not in text(report(done))
    assert "by hand" not in text(report(done))


def test_the_words_stay_beside_a_value_that_only_the_reader_knows():
    variables = {"container": "app", "typed": "DB_PASSWORD"}
    asks = found("container.exits-at-start", container("app"), evidence=HEALED, variables=variables)
    shown = text(report(asks))
    assert "read -r DB_PASSWORD" in shown
    assert "what fixes it: add this host to /etc/exports" in shown


def test_what_happens_comes_before_how_the_host_is_set_up() -> None:
    socket = found("security.docker-socket-mounted", container("proxy"), "it may", Severity.warning)
    standing = msgspec.structs.replace(
        socket, check=msgspec.structs.replace(socket.check, posture=True)
    )
    error = found("container.errors-in-log", container("web"), "it fails", Severity.advice)
    aloud = msgspec.structs.replace(
        error, check=msgspec.structs.replace(error.check, aloud=("whispers", "whisper"))
    )
    said = text(report(standing, aloud), 1)
    assert said.splitlines()[0] == (
        'WARNING shop-3: container "web" whispers; 1 warning in 0.6 s:'
        " security.docker-socket-mounted (proxy)"
    )
    assert said.index("it fails") < said.index("it may")
    assert "not explained by anything above" not in said
    broken = found("container.restart-loop", container("db"))
    said = text(report(standing, aloud, broken), 2)
    assert said.index("container.restart-loop  db") < said.index("it may") < said.index("it fails")
    assert "not explained by anything above" in said


def test_errors_that_nothing_explains_are_said_aloud() -> None:
    web, api = Subject("container", "web"), Subject("container", "api")
    errors = [
        found("container.errors-in-log", subject, f"{subject.name} repeats", Severity.advice)
        for subject in (web, api)
    ]
    errors = [
        msgspec.structs.replace(
            error, check=msgspec.structs.replace(error.check, aloud=("whispers", "whisper"))
        )
        for error in errors
    ]
    calm = text(report(*errors), 0)
    head, engine, empty, first, *_ = calm.splitlines()
    assert head == (
        'OK shop-3: 1 check passed, but containers "api" and "web" whisper; 2 advice, in 0.6 s'
    )
    assert (engine[:6], empty) == ("Docker", "")
    assert first == "ADVICE    container.errors-in-log  api"
    assert "  api repeats\n" in calm
    assert "  web repeats\n" in calm
    blind = report(errors[0], verdicts=(Verdict.UNKNOWN, Verdict.PASSED))
    alone = text(msgspec.structs.replace(blind, container_names={}), 3)
    assert alone.startswith(
        'UNKNOWN shop-3: not fully examined: 1 check passed, but container "web" whispers; '
        "1 advice, 1 could not be judged, in 0.6 s\n"
    )
    said = text(report(*errors, found("container.unhealthy", web)))
    assert said.startswith("CRITICAL shop-3: 1 critical in 0.6 s: container.unhealthy (web)\n")
    assert "not explained by anything above\n  api repeats\n" in said
    assert "web repeats" not in said


def test_errors_of_a_program_that_works_leave_the_report_calm() -> None:
    errors = []
    for name, aside in (("web", ("hums", "hum")), ("api", None)):
        error = found("container.errors-in-log", container(name), f"{name} errs", Severity.advice)
        check = msgspec.structs.replace(error.check, aloud=("whispers", "whisper"))
        finding = msgspec.structs.replace(error.finding, aside=aside)
        errors.append(msgspec.structs.replace(error, check=check, finding=finding))
    web, api = errors
    calm = text(report(web), 0)
    assert calm.splitlines()[0] == (
        'OK shop-3: nothing wrong found, 1 advice, 1 check passed, in 0.6 s; container "web" hums'
    )
    assert "ADVICE  " not in calm
    assert "logged by programs that work all the same\n  web errs\n" in calm
    both = text(report(web, api), 0)
    assert '1 check passed, but container "api" whispers; 2 advice' in both.splitlines()[0]
    assert both.index("ADVICE    container.errors-in-log  api") < both.index("web errs")
    broken = text(report(web, api, found("container.unhealthy", container("db"))), 2)
    assert broken.index("  api errs") < broken.index("  web errs")
    assert "hums" not in broken


def test_the_engine_that_complains_has_its_own_log() -> None:
    check = registry.load()["daemon.errors-in-log"]
    errors = [
        found("daemon.errors-in-log", subject, "x", Severity.advice)
        for subject in (DAEMON, Subject("container", "web"))
    ]
    errors = [
        msgspec.structs.replace(
            error,
            check=msgspec.structs.replace(
                error.check, aloud=check.aloud, aloud_of_engine=check.aloud_of_engine
            ),
        )
        for error in errors
    ]
    first, second = (text(report(error), 0).splitlines()[0] for error in errors)
    assert "but the engine has an unexplained error in its log;" in first
    assert 'but container "web" has an unexplained error in the engine\'s log;' in second


def test_the_first_line_names_the_first_cause() -> None:
    web, api = container("web"), container("api")
    both = text(report(found("container.unhealthy", web), found("container.paused", api)))
    assert both.startswith(
        "CRITICAL shop-3: 2 critical in 0.6 s; start with container.paused (api)\n"
    )
