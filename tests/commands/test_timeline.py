"""The last hours in one list, from made evidence."""

from __future__ import annotations

import io
import json
import os

import pytest

from diagnose import timeline
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.inspect import State
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.model import RecentChange, RecentChanges, Unavailable, container
from diagnose.render import timeline as timeline_text
from tests import command_line

NOW = 1_000_000.0
ID = "a" * 64


def event(at: float, action: str, **attributes: str) -> Event:
    return Event(at, "container", action, "", ID, {"name": "web", **attributes})


def evidence(**replaced) -> list[object]:
    state = State(
        status="exited",
        started_at="1970-01-12T13:45:00Z",
        finished_at="1970-01-12T13:46:00Z",
        exit_code=1,
    )
    values = {
        "clock": Clock(NOW, NOW - 9000),
        "containers": Containers(
            (
                Container(id=ID, raw_name="/web"),
                Container(id="b" * 64, raw_name="/old", state=state),
            )
        ),
        "events": Events(
            (
                event(NOW - 50, "start"),
                event(NOW - 40, "die", exitCode="137"),
                event(NOW - 39, "exec_start"),
            )
        ),
        "kernel": KernelLog(
            (
                Record(
                    NOW - 41,
                    f"oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/{ID},task_memcg=/{ID},task=x,pid=7",
                ),
                Record(
                    NOW - 41,
                    "Memory cgroup out of memory: Killed process 7 (x) total-vm:9kB, anon-rss:16384kB",
                ),
                Record(NOW - 30, "usb 1-1: new device"),
            )
        ),
        "log": DaemonLog(
            (LogLine(NOW - 100, "info", "Starting up"), LogLine(NOW - 20, "error", "no space")), "x"
        ),
        "config": DaemonConfig("/etc/docker/daemon.json", exists=True, mtime=NOW - 120),
        "changes": RecentChanges(
            (
                RecentChange(NOW - 95, "package docker-ce 28.4.0 to 28.5.1", "packages"),
                RecentChange(NOW - 90, "/srv/web.conf", "file", container("web")),
                RecentChange(NOW - 80, "an event that is there already", "event"),
            )
        ),
        **replaced,
    }
    return list(values.values())


def test_moments_are_in_order_with_their_sources():
    made = timeline.make(evidence(), 3600, ())
    assert [(moment.source, moment.text) for moment in made.moments] == [
        ("file", "/etc/docker/daemon.json was last changed"),
        ("dockerd", "Starting up"),
        ("inspect", "container old started"),
        ("packages", "package docker-ce 28.4.0 to 28.5.1"),
        ("file", "/srv/web.conf was last changed"),
        ("event", "container web start"),
        ("kernel", "killed x (pid 7) of container web, holding 16.0 MiB: at a limit"),
        ("event", "container web die exit 137"),
        ("inspect", "container old ended, exit 1"),
        ("dockerd", "no space"),
    ]
    assert made.complete_since == NOW - 100
    assert made.gaps == ()


def test_one_container_alone():
    made = timeline.make(evidence(), 3600, ("/web",))
    assert {moment.container for moment in made.moments} == {"web"}
    assert [moment.source for moment in made.moments] == ["file", "event", "kernel", "event"]


def test_only_since():
    assert [moment.text for moment in timeline.make(evidence(), 25, ()).moments] == ["no space"]


def test_what_could_not_be_read_is_said():
    blind = Unavailable("forbidden", "as root")
    made = timeline.make(evidence(kernel=blind), 3600, ())
    assert made.gaps == ("KernelLog: forbidden: as root",)
    out = io.StringIO()
    timeline_text.render(made, "text", out)
    assert "not known  KernelLog: forbidden: as root" in out.getvalue()
    assert out.getvalue().startswith("1970-01-12 UTC\n")


def test_a_full_memory_of_events_bounds_completeness():
    made = timeline.make(
        evidence(events=Events((event(NOW - 60, "start"),), complete_since=NOW - 60)), 3600, ()
    )
    assert made.complete_since == NOW - 60


def test_the_process_of_the_engine_tells_better_than_its_log_from_when_on_it_remembers():
    running = DaemonConfig("/etc/docker/daemon.json", started=8900.0)
    assert timeline.make(evidence(config=running), 3600, ()).complete_since == NOW - 100
    forgetful = evidence(config=running, log=Unavailable("forbidden", "as root"))
    assert timeline.make(forgetful, 3600, ()).complete_since == NOW - 100
    assert timeline.make(forgetful, 60, ()).complete_since == NOW - 60


def test_an_engine_of_which_nothing_tells_when_it_began():
    made = timeline.make(evidence(log=Unavailable("remote", "over TCP")), 3600, ())
    assert made.complete_since is None
    out = io.StringIO()
    timeline_text.render(made, "text", out)
    assert "complete since a time that nothing tells" in out.getvalue()


def test_ids_are_names_and_lines_are_folded_for_a_terminal():
    gone = "c" * 64
    told = DaemonLog(
        (
            LogLine(
                NOW - 20, "error", f"{ID} and {gone}: failed to delete container from containerd"
            ),
        ),
        "x",
    )
    made = timeline.make(evidence(log=told), 25, ())
    assert [(moment.text, moment.container) for moment in made.moments] == [
        (f"web and {gone[:12]}: failed to delete container from containerd", "web")
    ]
    out = io.StringIO()
    timeline_text.render(made, "text", out, 60)
    assert max(map(len, out.getvalue().splitlines()[:3])) <= 60
    assert "\n" + " " * 21 + "container from containerd\n" in out.getvalue()


@pytest.mark.parametrize(("columns", "widest"), [("80", range(60, 81)), ("", range(81, 2000))])
def test_lines_are_folded_where_a_width_is_given(columns: str, widest: range):
    """Each event is one line otherwise: a pipe may lead to grep."""
    environment = {**os.environ, "COLUMNS": columns}
    done = command_line.run("timeline", "--from", "demo", env=environment)
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) in widest


def test_json_is_json():
    out = io.StringIO()
    timeline_text.render(timeline.make(evidence(), 3600, ()), "json", out)
    rows = json.loads(out.getvalue())
    assert len(rows["moments"]) == 10
    assert rows["complete_since"] == "1970-01-12T13:45:00Z"
