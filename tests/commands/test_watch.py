"""Watching: what begins and ends from report to report, and when the host is judged again."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from diagnose import registry
from diagnose.live import wake
from diagnose.model import Check, Severity
from diagnose.questions.run import Options
from diagnose.render.watch import Screen, log_line
from diagnose.watch import rounds, watcher
from diagnose.watch.roots import Roots, WatchedRoot
from diagnose.watch.watcher import Effort, Notices, Watcher

DEMO = Path(__file__).parents[2] / "fixtures" / "demo"
ID = "container.oom-killed"


def row(
    id: str = ID, name: str = "web", severity: str = "critical", **fields: Any
) -> dict[str, Any]:
    subject = {"kind": "container", "name": name}
    head = {
        "key": f"{id}@container:{name}",
        "id": id,
        "severity": severity,
        "subject": subject,
        "summary": f"{name} is broken",
    }
    return {**head, "root": True, "silenced": None, "onset": None, **fields}


def report(
    *findings: dict[str, Any],
    ids: Sequence[str] = (ID,),
    verdict: str = "passed",
    containers: int | None = 3,
) -> dict[str, Any]:
    found = {finding["id"] for finding in findings}
    checks = [
        {"id": id, "verdict": "found" if id in found else verdict, "unexamined": []}
        for id in {*ids, *found}
    ]
    return {"findings": list(findings), "checks": checks, "host": {"containers": containers}}


def kinds(changes: Sequence[Any]) -> list[tuple[str, str]]:
    return [(change.kind, change.root.key.rpartition(":")[2]) for change in changes]


STEPS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "nothing new": (report(row()), []),
    "another begins": (report(row(), row(name="db")), [("began", "db")]),
    "it ends": (report(), [("ended", "web")]),
    "its check could not look": (report(verdict="unknown"), []),
    "its check crashed": (report(verdict="crashed"), []),
    "its check did not run": (report(ids=("dns.search-amplified",)), []),
    "it is explained": (report(row(root=False)), [("explained", "web")]),
    "it is silenced": (report(row(silenced="known")), [("ended", "web")]),
    "it is milder": (report(row(severity="warning")), [("better", "web")]),
    "it is advice now": (report(row(severity="advice")), [("ended", "web")]),
    "advice begins": (report(row(), row(name="db", severity="advice")), []),
    "an effect begins": (report(row(), row(name="db", root=False)), []),
}


@pytest.mark.parametrize("name", STEPS)
def test_what_a_round_reports_as_begun_or_ended(name: str) -> None:
    roots = Roots()
    assert kinds(roots.take(report(row()), 1000.0)) == [("present", "web")]
    after, wanted = STEPS[name]
    assert kinds(roots.take(after, 1010.0)) == wanted


def test_a_subject_that_could_not_be_looked_at_has_not_ended() -> None:
    roots = Roots()
    roots.take(report(row()), 1000.0)
    after = report()
    after["checks"][0]["unexamined"] = [
        {"subject": {"kind": "container", "name": "web"}, "why": "gone"}
    ]
    assert roots.take(after, 1010.0) == ()


def test_the_onset_is_the_findings_own_or_when_it_was_first_seen() -> None:
    roots = Roots()
    roots.take(report(), 1000.0)
    roots.take(report(row(), row(name="db", onset="2026-11-26T10:00:00+00:00")), 1010.0)
    roots.take(
        report(row(severity="warning"), row(name="db", onset="2026-11-26T10:00:00+00:00")), 1020.0
    )
    assert {root.subject: root.onset for root in roots} == {
        "container:web": 1010.0,
        "container:db": 1795687200.0,
    }


def test_the_last_hour_is_kept() -> None:
    roots = Roots()
    roots.take(report(), 0.0)
    roots.take(report(row()), 10.0)
    roots.take(report(), 20.0)
    assert kinds(roots.recent(30.0)) == [("ended", "web"), ("began", "web")]
    roots.take(report(), 3615.0)
    assert kinds(roots.recent(3615.0)) == [("ended", "web")]


def test_the_onset_is_the_change_after_which_it_was_seen() -> None:
    roots = Roots()
    roots.take(report(), 1000.0)
    (begun,) = roots.take(report(row()), 1010.0, {"container": 1008.5})
    assert (begun.at, begun.root.onset, begun.root.is_onset_known) == (1010.0, 1008.5, False)


# -- the loop ----------------------------------------


class Clock:
    """A clock that only sleep moves on: a test that the machine stops for a while does not fail."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_750_000_000 + self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


CLOCK = Clock()


class Scripted:
    """Wakes with these topics in turn, then sleeps."""

    def __init__(self, *topics: frozenset[wake.Topic]) -> None:
        self.topics = list(topics)

    def wait(self, seconds: float) -> frozenset[wake.Topic]:
        if self.topics:
            return self.topics.pop(0)
        CLOCK.sleep(seconds)
        return frozenset()


FAMILIES = ("container", "dns", "firewall", "network", "resources", "storage", "kernel")


def check(family: str) -> Check:
    return Check(
        f"{family}.x",
        "T.",
        Severity.critical,
        lambda: None,
        needs=(),
        thresholds=(),
        caused_by=(),
        causes=(),
        posture=False,
    )


KNOWN: Mapping[str, Check] = {f"{family}.x": check(family) for family in FAMILIES}


class Judged:
    """Gives reports in turn, and remembers what was asked."""

    def __init__(self, *reports: dict[str, Any] | Exception) -> None:
        self.reports = list(reports)
        self.asked: list[tuple[tuple[str, ...] | None, bool]] = []

    def __call__(
        self, _: Any, selected: tuple[str, ...] | None, options: Options
    ) -> Mapping[str, Any]:
        self.asked.append((selected, options.probe))
        found = self.reports.pop(0) if self.reports else report()
        if isinstance(found, Exception):
            raise found
        return found


def watched(
    judge: Judged, wakes: Scripted, seconds: float = 0.2, **options: Any
) -> tuple[int, list[Any]]:
    told: list[Any] = []
    run = Watcher(KNOWN, Options(), wakes, lambda *what: told.append(what), judge=judge)
    return run.run(seconds, **options), told


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "time", CLOCK)
    monkeypatch.setattr(watcher, "QUIET_S", 0.01)
    monkeypatch.setattr(watcher, "FOLLOW_UPS_S", (0.05,))


def test_a_change_is_judged_by_its_families_and_once_more_later() -> None:
    judge = Judged()
    watched(judge, Scripted(frozenset({"containers"})))
    wanted = ("container.x", "network.x", "resources.x")
    assert judge.asked == [(None, True), (wanted, False), (wanted, False)]


def test_a_change_of_the_engine_is_judged_by_all() -> None:
    judge = Judged()
    watched(judge, Scripted(frozenset({"engine"})))
    assert [selected for selected, _ in judge.asked] == [None, None]


def test_lasting_pressure_is_judged_once_in_a_while() -> None:
    judge = Judged()
    watched(judge, Scripted(*[frozenset({"pressure"})] * 20))
    assert [selected for selected, _ in judge.asked] == [
        None,
        ("resources.x", "storage.x", "kernel.x"),
    ]


def test_nothing_is_judged_while_nothing_happens() -> None:
    judge = Judged()
    watched(judge, Scripted())
    assert len(judge.asked) == 1


def test_a_change_is_answered_by_its_round_and_by_the_follow_up() -> None:
    notices = Notices()
    notices.hear(["dns", "network"], 100.0)
    notices.hear(["dns"], 101.0)
    assert notices.of_round(["dns", "storage"], 102.0) == {"dns": 100.0}
    assert notices.of_round(["dns"], 105.0) == {"dns": 100.0}
    assert notices.of_round(["dns"], 130.0) == {}
    notices.hear(["dns"], 131.0)
    assert notices.of_round(["dns", "network"], 132.0) == {"dns": 131.0}


def test_rounds_may_follow_each_other_until_they_took_long() -> None:
    effort = Effort()
    effort.spend(100.0, 110.0)
    assert effort.rested == 110.0
    effort.spend(110.0, 114.0)
    assert 117.0 < effort.rested <= 119.0
    effort.spend(200.0, 201.0)
    assert effort.rested == 201.0


CODES = {
    "no root": ([report()], None, 0),
    "a root is there at the end": ([report(row())], None, 2),
    "a warning": ([report(row(severity="warning"))], None, 1),
    "nothing was looked at": ([report(containers=None)], None, 3),
    "the round failed": ([rounds.FailedRoundError("no")], None, 3),
    "once: it was there before": ([report(row())], Severity.warning, 0),
    "once: it begins": ([report(), report(row())], Severity.warning, 2),
    "once: only a warning, critical is waited for": (
        [report(), report(row(severity="warning"))],
        Severity.critical,
        0,
    ),
    "once: it gets worse": ([report(row(severity="warning")), report(row())], Severity.critical, 2),
}


@pytest.mark.parametrize("name", CODES)
def test_exit_code(name: str) -> None:
    reports, until, code = CODES[name]
    assert (
        watched(
            Judged(*reports),
            Scripted(frozenset({"containers"})) if len(reports) > 1 else Scripted(),
            until=until,
        )[0]
        == code
    )


def test_a_failed_round_ends_nothing() -> None:
    judge = Judged(report(row()), *[rounds.FailedRoundError("no report")] * 9)
    _, told = watched(judge, Scripted(frozenset({"containers"})))
    assert told[1][1:] == ((), "no report")
    assert len(list(told[-1][0])) == 1


def test_a_round_is_a_process_of_its_own() -> None:
    fixture = Options(source=DEMO, budget_s=120)
    document = rounds.judge(registry.load(), ("container.oom-killed",), fixture)
    assert document["host"]["name"]
    with pytest.raises(rounds.FailedRoundError, match="cannot read"):
        rounds.judge(registry.load(), None, Options(source=DEMO / "nowhere"))


# -- what is shown ----------------------------------------


def test_without_a_terminal_each_change_is_a_line() -> None:
    roots, stream = Roots(), io.StringIO()
    with Screen(stream, color=False) as screen:
        screen.show(roots, roots.take(report(), 0.0), "")
        screen.show(roots, roots.take(report(row(summary="web\x1b[31m is broken")), 10.0), "")
        screen.show(roots, (), "the containers could not be listed")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "00:00:10  began      CRITICAL  container.oom-killed  web?[31m is broken"
    assert "not known  the containers could not be listed" in lines[1]


def test_the_log_is_a_line_of_json_for_each_change() -> None:
    roots = Roots()
    (change,) = roots.take(report(row()), 10.0)
    line = log_line(change)
    assert line.count("\n") == 1
    document = json.loads(line)
    assert (document["change"], document["at"]) == ("present", "1970-01-01T00:00:10+00:00")
    assert document["root"]["onset"] == "1970-01-01T00:00:10+00:00"


def test_roots_are_listed_the_worst_first() -> None:
    roots = Roots()
    roots.take(report(row(severity="warning"), row(name="db")), 10.0)
    assert [root.severity for root in roots] == [Severity.critical, Severity.warning]
    assert isinstance(next(iter(roots)), WatchedRoot)


# -- what wakes it ----------------------------------------


AWAKE = """
import subprocess
from diagnose.live import wake
from diagnose.questions.run import Options

def run(command):
    subprocess.run(command.split(), check=True)

def heard(seconds):
    print(sorted(waker.wait(seconds) - {"pressure"}))

wake.Wake._follow_engine = lambda self, options: None
waker = wake.Wake(Options(host="unix:///nowhere.sock"))
"""


def heard_in_a_netns(script: str) -> list[str]:
    """What wakes in a network namespace of its own: a line for each `heard`."""
    import subprocess
    import sys

    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", AWAKE + script],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Operation not permitted" in done.stderr and "unshare" in done.stderr:
        pytest.skip("no network namespace can be made here")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="a link can be made by root only")


@as_root
def test_a_new_link_wakes() -> None:
    script = """
heard(0.3)
run("ip link set lo up")
heard(5)
open("/proc/sys/net/ipv4/conf/lo/forwarding", "w").write("1")
heard(5)
"""
    assert heard_in_a_netns(script) == ["[]", "['network']", "['network']"]


@as_root
def test_a_new_state_of_a_bridge_port_does_not_wake() -> None:
    """A container that started 15 seconds ago makes one; who leaves a bridge still wakes."""
    script = """
for name in ("all", "default"):  # else an address of IPv6 is there two seconds later
    open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w").write("1")
run("ip link add made type bridge")
for port in ("port", "second"):  # a bridge without a port that forwards has no carrier
    run(f"ip link add {port} type veth peer name of-{port}")
    run(f"ip link set {port} master made")
    run(f"ip link set {port} up")
    run(f"ip link set of-{port} up")
run("ip link set made up")
while waker.wait(2):  # the kernel reports a carrier up to a second later
    pass
run("bridge link set dev port state 1")
heard(0.5)
run("ip link set port nomaster")
heard(5)
run("ip link set port master made")
heard(5)
"""
    assert heard_in_a_netns(script) == ["[]", "['network']", "['network']"]


def test_an_engine_that_is_nowhere_is_said_once_and_its_follower_ends(tmp_path: Any) -> None:
    waker = wake.Wake(Options(host=f"unix://{tmp_path}/nowhere.sock"))
    try:
        assert "engine" in waker.wait(5) | waker.wait(5) | waker.wait(5)
    finally:
        waker.close()
