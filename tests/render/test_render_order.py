"""The order of a report: which root comes first, and which words are beside a command."""

from __future__ import annotations

import io
import re

import msgspec
import pytest

from diagnose import registry
from diagnose.judgement import causes
from diagnose.model import DAEMON, HOST, CauseLink, Reported, Severity, Subject, Verdict, container
from diagnose.render import terminal
from diagnose.render.formats import llm
from diagnose.render.terminal import MOST_BLOCKS
from tests.reports import found, report, text


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
    llm.render(report(broken), 0, context)
    for shown in (text.getvalue(), context.getvalue()):
        assert "::error::owned" in shown
        lines = [line.strip() for line in shown.splitlines()]
        assert not [line for line in lines if line.startswith(("::error", "CRITICAL  made"))]


HEALED = {"State.Error": "access denied", "what fixes it": "add this host to /etc/exports"}


def test_a_cure_in_words_stands_where_no_command_heals():
    shown = text(
        report(found("container.start-refused", container("app"), evidence=HEALED, variables={}))
    )
    assert "fix (by hand): Add this host to /etc/exports\n" in shown
    assert "what fixes it" not in shown


def test_no_full_stop_follows_a_command():
    evidence = {**HEALED, "what fixes it": "set it on the host: sysctl -w vm.overcommit_memory=1"}
    shown = text(
        report(found("container.start-refused", container("app"), evidence=evidence, variables={}))
    )
    assert "fix (by hand): Set it on the host: sysctl -w vm.overcommit_memory=1\n" in shown


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
    assert "also worth a look" not in said
    assert "advice  " not in said, "it has a block already"
    broken = found("container.restart-loop", container("db"))
    said = text(report(standing, aloud, broken), 2)
    assert said.index("container.restart-loop  db") < said.index("it may") < said.index("it fails")
    assert "also worth a look" in said


def test_advice_of_long_ago_is_not_said_aloud() -> None:
    late = found("image.push-failed", Subject("daemon", "docker"), "a push failed", Severity.advice)
    late = msgspec.structs.replace(
        late,
        check=msgspec.structs.replace(late.check, aloud=("hums", "hum"), aloud_of_engine="hums"),
    )
    assert text(report(late), 0).startswith(
        "ADVICE shop-3: the engine hums; 1 advice, 1 check passed"
    )
    old = msgspec.structs.replace(
        late, finding=msgspec.structs.replace(late.finding, is_quiet=True)
    )
    said = text(report(old), 0)
    assert said.startswith("OK shop-3: nothing wrong found, 1 advice")
    assert "a push failed" not in said


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
        'ADVICE shop-3: containers "api" and "web" whisper; 2 advice, 1 check passed, in 0.6 s'
    )
    assert (engine[:6], empty) == ("Docker", "")
    assert first == "ADVICE    container.errors-in-log  api"
    assert "  api repeats\n" in calm
    assert "  web repeats\n" in calm
    blind = report(errors[0], verdicts=(Verdict.UNKNOWN, Verdict.PASSED))
    alone = text(msgspec.structs.replace(blind, container_names={}), 3)
    assert alone.startswith(
        'UNKNOWN shop-3: not fully examined: container "web" whispers; '
        "1 advice, 1 check passed, 1 could not be judged, in 0.6 s\n"
    )
    said = text(report(*errors, found("container.unhealthy", web)))
    assert said.startswith("CRITICAL shop-3: 1 critical in 0.6 s: container.unhealthy (web)\n")
    assert "also worth a look\n  api repeats\n" in said
    assert "web repeats" not in said


def test_the_first_word_says_the_worst_where_no_severity_fails_the_run() -> None:
    """As with `--fail-on never`: a host with a critical finding is never called well."""
    broken = report(found("container.unhealthy", container("db")))
    assert text(broken, 0).startswith("CRITICAL shop-3: 1 critical in 0.6 s")


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
    assert "logged by programs that keep working\n  web errs\n" in calm
    both = text(report(web, api), 0)
    assert (
        'ADVICE shop-3: container "api" whispers; 2 advice, 1 check passed' in both.splitlines()[0]
    )
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
    assert ": the engine has an unexplained error in its log;" in first
    assert ': container "web" has an unexplained error in the engine\'s log;' in second


def test_the_first_line_names_the_first_cause() -> None:
    web, api = container("web"), container("api")
    both = text(report(found("container.unhealthy", web), found("container.paused", api)))
    assert both.startswith(
        "CRITICAL shop-3: 2 critical in 0.6 s; start with container.paused (api)\n"
    )


def test_more_roots_than_anybody_reads_are_counted() -> None:
    many = [found(f"container.fault-{number}", container("web")) for number in range(MOST_BLOCKS)]
    full = found("storage.disk-full", HOST, "the disk is full", Severity.warning)
    every = report(*many, full)
    shown = text(every)
    assert shown.count("it is broken") == MOST_BLOCKS
    assert "the disk is full" not in shown
    assert "further findings  storage.disk-full 1   -v lists them" in shown
    stream = io.StringIO()
    terminal.render(every, 2, stream, color=False, detail=terminal.ReportDetail(verbose=True))
    assert "the disk is full" in stream.getvalue()
    assert "further findings" not in stream.getvalue()


def test_words_that_stand_above_are_not_said_again():
    cure = "add this host to /etc/exports of the server, and tell the server to read that file"
    evidence = {"State.Error": "access denied", "what fixes it": cure}
    shown = text(
        report(
            *(
                found("container.start-refused", container(name), evidence=evidence, variables={})
                for name in ("app", "web")
            )
        )
    )
    assert shown.count("fix (by hand): Add this host") == 1
    assert shown.count("fix (by hand): as above") == 1
    assert shown.count("more  diagnose explain container.start-refused") == 1


def test_a_cure_ends_with_the_start_of_what_stays_down() -> None:
    """A disk has room again, and the database that it ended did not come back."""
    paused = found("container.paused", container("db"), variables={"container": "db"})
    effects = [
        msgspec.structs.replace(
            found(id, container(name)), causes=(CauseLink(paused.key, id, "because"),)
        )
        for id, name in (
            ("container.crashed", "web"),
            ("container.exits-at-start", "jobs"),
            ("container.crashed", "db"),
            ("container.unhealthy", "shop"),
        )
    ]
    printed = text(report(paused, *effects))
    assert "docker unpause db\n      docker start jobs web\n" in printed
    assert 'Then containers "jobs" and "web" are started' in " ".join(printed.split())


def _late(
    name: str,
    place: str = "/mnt/nas",
    id: str = "container.mount-source-missing",
    cure: str = "came_late",
) -> Reported:
    """A finding about a container that stands on a share."""
    variables = {"container": name, "source": f"{place}/{name}", cure: name}
    touched = (Subject("filesystem", place),) if place else ()
    return found(id, container(name), touches=touched, variables=variables)


def _stale(name: str, place: str = "/mnt/nas") -> Reported:
    return _late(name, place, "container.mount-stale", "remounted")


TOGETHER = {
    "two on one share": ([_late("a"), _late("b")], ["docker start a b"]),
    "two on two shares": (
        [_late("a"), _late("b", "/mnt/usb")],
        ["docker start a", "docker start b"],
    ),
    "restarts for one reason": ([_stale(name) for name in "abcd"], ["docker restart a b c d"]),
    "restarts for reasons of their own": (
        [_stale(name, place="") for name in "abcd"],
        ["docker restart a"],
    ),
    "starts for reasons of their own": (
        [_late(name, place="") for name in "abcd"],
        ["docker start a b c d"],
    ),
}


@pytest.mark.parametrize(("findings", "commands"), TOGETHER.values(), ids=TOGETHER)
def test_one_command_is_for_all_of_a_group(findings: list[Reported], commands: list[str]) -> None:
    printed = text(report(*findings))
    assert re.findall(r"^ +(docker (?:re)?start .*)$", printed, re.MULTILINE) == commands


def test_containers_on_one_share_have_one_cause() -> None:
    alike = [_late("a"), _late("b"), _late("c")]
    together = text(report(*alike))
    assert "one cause: container.mount-source-missing (a and 2 more)" in " ".join(together.split())
    apart = text(report(*alike, _late("d", "/mnt/usb")))
    assert "start with container.mount-source-missing (a)" in " ".join(apart.split())
