"""The helper processes: they answer many threads, are left behind when they hang, and end with the
tool."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagnose.live import Collector, Live, Refused, failure
from diagnose.live import helper as helpers
from diagnose.live.disk import worker
from diagnose.live.helper import Helper
from diagnose.live.network import process
from diagnose.model import Failed
from tests.live.netns import PROJECT
from tests.questions import question


@pytest.fixture(name="disk")
def _disk() -> Iterator[Helper]:
    started = Helper.start("disk")
    yield started
    started.close()


@pytest.fixture(name="network")
def _network() -> Iterator[Helper]:
    started = Helper.start("network")
    yield started
    started.close()


def state(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return "gone"
    return text[text.rindex(")") + 2]


def wait_for(pid: int, *states: str) -> None:
    until = time.monotonic() + 5
    while state(pid) not in states:
        assert time.monotonic() < until, f"process {pid} stays in state {state(pid)}"
        time.sleep(0.01)


def wait_until_gone(pids: list[int]) -> None:
    for pid in pids:
        wait_for(pid, "gone", "Z")


@pytest.mark.parametrize("name", ["disk", "network"])
def test_many_threads_share_a_helper(name: helpers.Name) -> None:
    shared = Helper.start(name)
    function, args = ("usage", {"path": "/"}) if name == "disk" else ("net.addresses", {})
    answers: list[object] = []

    def ask() -> None:
        answers.extend(shared.call(function, args, 20) for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shared.close()
    assert len(answers) == 80
    assert name == "disk" or all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("name", ["disk", "network"])
def test_a_helper_ends_with_the_tool(name: helpers.Name) -> None:
    started = Helper.start(name)
    started.submit("usage", {"path": "/"}, 10)
    started.close()
    wait_until_gone([started.pid])


def test_an_unknown_function_is_no_crash_of_the_worker(disk: Helper) -> None:
    with pytest.raises(Refused, match="its shape is one that this version does not know"):
        disk.call("no_such_function", {"path": "/"}, 2)
    assert disk.call("usage", {"path": "/"}, 2)["point"] == worker.usage({"path": "/"})["point"]


def test_a_path_that_is_no_text_arrives_as_it_is(disk: Helper, tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    Path(path).write_text("text")
    assert disk.call("read", {"path": path}, 2)["text"] == "text"


def test_a_worker_that_hangs_is_named_and_replaced(network: Helper) -> None:
    before = network.call("net.links", {}, 10)
    (hung,) = network._idle
    os.kill(hung.pid, signal.SIGSTOP)
    wait_for(hung.pid, "T")
    with pytest.raises(Refused) as refused:
        network.call("netns", {"pid": 1}, 0.3)
    assert refused.value.failed.reason == "timed out"
    waited = re.search(
        rf"netns of process 1 does not answer after ([\d.]+) s; process {hung.pid} is in state T",
        str(refused.value),
    )
    assert waited is not None
    assert 0.3 <= float(waited[1]) < 2
    wait_until_gone([hung.pid])  # SIGKILL ends what is only stopped
    assert network.call("net.links", {}, 10) == before
    assert network._idle[0].pid != hung.pid


def test_a_file_that_fills_memory_costs_its_own_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "functions", lambda: {"fill": lambda _: "x" * (2 << 30), "ok": str})
    started = Helper.start("disk")
    with pytest.raises(Refused, match="more memory than one file may have"):
        started.call("fill", {}, 20)
    assert started.call("ok", {}, 2) == "{}"
    started.close()


def test_files_that_take_too_long_do_not_blind_the_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "functions", lambda: {"spin": _spin, "ok": str})
    monkeypatch.setattr("diagnose.live.helper.STUCK_MAX", 1)
    monkeypatch.setattr("diagnose.live.helper.DEATH_S", 1.0)
    started = Helper.start("disk")
    for _ in range(2):
        with pytest.raises(Refused, match="does not answer"):
            started.call("spin", {}, 0.1)
    assert started.call("ok", {}, 5) == "{}"
    started.close()


def _spin(_: object) -> None:
    while True:
        pass


def test_errors_of_python_are_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        RecursionError("maximum recursion depth"): "it is nested too deep",
        ValueError("day is out of range for month"): "day is out of range for month",
        TypeError("NoneType"): "its shape is one that this version does not know",
    }
    for error, words in told.items():
        assert failure(error) == Failed("malformed", words)
    monkeypatch.setenv("DIAGNOSE_DEBUG", "1")
    assert failure(TypeError("x")).detail == "TypeError: x"


def test_a_worker_that_dies_is_replaced(network: Helper) -> None:
    before = network.call("net.links", {}, 10)
    (killed,) = network._idle
    os.kill(killed.pid, signal.SIGKILL)
    wait_until_gone([killed.pid])
    with pytest.raises(OSError, match=r"gone|Broken pipe|reset"):
        network.call("net.links", {}, 10)
    assert network.call("net.links", {}, 10) == before


def test_who_finds_all_workers_busy_waits_and_then_says_so(network: Helper) -> None:
    network.call("net.links", {}, 10)
    pending = [network.submit("net.links", {}, 10) for _ in range(helpers.WORKERS_MAX["network"])]
    with pytest.raises(Refused, match="all 3 network workers are busy"):
        network.call("net.links", {}, 0.2)
    for reply in pending:
        reply.result()
    assert network.call("net.links", {}, 10)


def test_without_a_free_process_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    with pytest.raises(
        Refused, match="no helper process can be made: Resource temporarily unavailable"
    ):
        Helper.start("network").call("net.links", {}, 1)


def pid_of_collector(_path: str) -> Collector:
    return lambda _live, _question: os.getpid()


def test_long_reads_of_the_kernel_are_done_by_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorded questions are those whose collectors make thousands of system calls."""
    monkeypatch.setattr("diagnose.live._collector", pid_of_collector)
    monkeypatch.setattr(Live, "_not_this_machine", None)
    live = Live()
    collected_by = {kind: live.ask(question(kind)) for kind in ("kernel.log", "processes", "uname")}
    live.close()
    assert collected_by["uname"] == os.getpid()
    assert os.getpid() not in (collected_by["kernel.log"], collected_by["processes"])


SAID = {
    "a secret": ("started with DB_PASSWORD=hunter2hunter", "started with DB_PASSWORD=TOKEN"),
    "a secret that another answer has named": (
        "argument s3cretWort8 was refused",
        "argument TOKEN was refused",
    ),
    "nothing to hide": ("eth0: link becomes ready", "eth0: link becomes ready"),
}


@pytest.mark.parametrize(("said", "expected"), SAID.values(), ids=SAID)
def test_an_answer_of_a_worker_holds_no_secret(
    monkeypatch: pytest.MonkeyPatch, said: str, expected: str
) -> None:
    """The worker knows neither the run's key nor the secrets of other answers."""
    answer = {"records": [{"text": said}]}
    monkeypatch.setattr("diagnose.live._collector", lambda _path: lambda *_: answer)
    monkeypatch.setattr(Live, "_not_this_machine", None)
    live = Live()
    live.redactor.answer("api.container", {}, {"Config": {"Env": ["API_PASSWORD=s3cretWort8"]}})
    found = live.ask(question("kernel.log"))
    live.close()
    text = found["records"][0]["text"]
    assert re.sub("<redacted:[^>]+>", "TOKEN", text) == expected
    assert live.redactor.restore(text) == said


def test_without_a_worker_the_tool_reads_the_kernel_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that has no process left is one whose processes have to be looked at."""

    def fork() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    monkeypatch.setattr("diagnose.live._collector", pid_of_collector)
    monkeypatch.setattr(Live, "_not_this_machine", None)
    assert Live().ask(question("processes")) == os.getpid()


def test_a_broken_installation_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diagnose.live.network.worker", None)
    broken = Helper.start("network")
    broken.prepare()
    for _ in range(2):
        with pytest.raises(Refused, match="the network helper cannot work: ModuleNotFoundError"):
            broken.call("net.links", {}, 5)
    broken.close()


def test_a_failure_of_the_helper_is_an_answer() -> None:
    live = Live()
    os.kill(live.helper("network").pid, signal.SIGKILL)
    with pytest.raises((Refused, OSError)):
        process.ask(live, question("net.links"))
    live.close()


KILLED = """
import json, os, signal, threading
from diagnose.live import Live
live = Live()
live.start_helpers(network=True)
network = live.helper("network")
network.call("net.links", {}, 20)
worker = network._idle[0].pid
os.kill(worker, signal.SIGSTOP)
while open(f"/proc/{worker}/stat").read().rpartition(")")[2].split()[0] != "T":
    pass
network.submit("netns", {"pid": os.getpid()}, 20)
print(json.dumps([live.helper("disk").pid, network.pid, worker]), flush=True)
signal.pause()
"""


def test_a_tool_that_is_killed_in_the_middle_of_a_visit_leaves_nothing_behind() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as tool:
        try:
            assert tool.stdout is not None
            pids = json.loads(tool.stdout.readline())
        finally:
            tool.kill()
    assert len(pids) == 3
    wait_until_gone(pids)
