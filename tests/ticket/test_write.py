"""A bundle is delivered whole or not at all, to where it was asked, and nowhere else."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from diagnose import session
from diagnose.questions import AnyQuestion
from diagnose.questions.run import Options
from diagnose.recording.recorder import RecordedAnswer
from diagnose.redact import Redactor
from diagnose.ticket import write
from diagnose.ticket.write import STDOUT, NotWrittenError, Order
from tests import command_line
from tests.questions import question
from tests.tickets import FEW, made, opener_of, unpacked

SECRET = "Vq8-hunter2-made-up"
ID = "f" * 64
HOST = made(
    {
        question("api.containers", all=True): [{"Id": ID, "Names": ["/web"], "Command": "app"}],
        question("api.container", id=ID): {
            "Id": ID,
            "Name": "/web",
            "Config": {"Env": [f"DB_PASSWORD={SECRET}"]},
        },
    }
)


def given(
    order: Order, entries: Mapping[AnyQuestion, RecordedAnswer] = HOST, **options: Any
) -> str:
    asked = Options()
    options.setdefault("open_recorder", opener_of(entries))
    return write.deliver(FEW, asked, order, began=time.monotonic(), **options)


def unasked(*_: object) -> session.LiveHost:
    raise AssertionError("the host was asked")


def test_a_file_of_ones_own_for_nobody_else(tmp_path: Path):
    target = tmp_path / "t.tar.gz"
    said = given(Order(target))
    assert str(target) in said
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.stat().st_nlink == 1
    assert [path.name for path in tmp_path.iterdir()] == ["t.tar.gz"]
    assert "manifest.json" in unpacked(target.read_bytes())


def test_without_a_name_it_gets_one_of_host_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    given(Order())
    assert [path.name for path in tmp_path.iterdir()] == ["diagnose-shop-3-20270115T080000Z.tar.gz"]


def test_streamed_to_stdout_it_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
):
    monkeypatch.chdir(tmp_path)
    said = given(Order(STDOUT))
    assert "to stdout" in said
    assert "manifest.json" in unpacked(capfdbinary.readouterr().out)
    assert not list(tmp_path.iterdir())


def test_an_existing_target_is_refused_before_the_run(tmp_path: Path):
    target = tmp_path / "t.tar.gz"
    target.write_bytes(b"mine")
    link = tmp_path / "link.tar.gz"
    link.symlink_to(tmp_path / "elsewhere")
    for path, why in (
        (target, "it exists"),
        (link, "it exists"),
        (tmp_path / "no/t.tar.gz", "no is not a folder"),
    ):
        with pytest.raises(NotWrittenError, match=why):
            given(Order(path), open_recorder=unasked)
    assert target.read_bytes() == b"mine"
    assert not (tmp_path / "elsewhere").exists()


def test_a_target_that_came_to_be_during_the_run_is_not_overwritten(tmp_path: Path):
    target = tmp_path / "t.tar.gz"

    def late(
        asked: Options, selected: Sequence[str], began: float, redactor: Redactor
    ) -> session.LiveHost:
        target.write_bytes(b"mine")
        return opener_of(HOST)(asked, selected, began, redactor)

    with pytest.raises(NotWrittenError, match="File exists"):
        given(Order(target), open_recorder=late)
    assert target.read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["t.tar.gz"]


def test_a_disk_without_room_leaves_nothing_behind(tmp_path: Path):
    with pytest.raises(NotWrittenError, match="`-o -` needs no disk"):
        given(Order(Path("/proc/self/nothing-goes-here.tar.gz")))


def test_a_umask_does_not_hide_it_from_its_owner(tmp_path: Path):
    before = os.umask(0o777)
    try:
        given(Order(tmp_path / "t.tar.gz"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "t.tar.gz").stat().st_mode) == 0o600


def test_a_name_that_no_file_can_have_is_refused_before_the_run(tmp_path: Path):
    with pytest.raises(NotWrittenError, match="File name too long"):
        given(Order(tmp_path / ("x" * 300)), open_recorder=unasked)


def test_an_interrupt_while_it_is_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The handlers of the run are gone by then: without its own, a signal would end the process
    beside half a file."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    monkeypatch.setattr(os, "fsync", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    try:
        with pytest.raises(NotWrittenError, match="stopped by SIGTERM"):
            given(Order(tmp_path / "t.tar.gz"))
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)],
)
def test_review_lists_every_file_and_asks(
    answer: str,
    agreed: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    target = tmp_path / "t.tar.gz"
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    if agreed:
        given(Order(target, review=True))
    else:
        with pytest.raises(NotWrittenError, match="did not agree"):
            given(Order(target, review=True))
    assert target.exists() == agreed
    listed = capsys.readouterr().err
    row = next(line for line in listed.splitlines() if line.endswith("answers/api.container.json"))
    assert "1 redacted" in row
    assert "report.md" in listed
    assert listed.rstrip().endswith("write it? [y/N]")


class Holed(Redactor):
    """A redactor that forgets to replace what it has recognised in a container's answer."""

    def answer(self, kind: str, args: Mapping[str, Any], value: Any) -> Any:
        new = super().answer(kind, args, value)
        return value if kind == "api.container" else new

    def settle(self, value: Any) -> Any:
        return value


def test_a_bundle_that_still_holds_a_secret_is_not_left_behind(tmp_path: Path):
    target = tmp_path / "t.tar.gz"
    with pytest.raises(NotWrittenError) as raised:
        given(Order(target), redactor=Holed())
    assert "answers/api.container.json: password (plain)" in str(raised.value)
    assert SECRET not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_nothing_is_streamed_that_still_holds_a_secret(capfdbinary: pytest.CaptureFixture[bytes]):
    with pytest.raises(NotWrittenError, match="password"):
        given(Order(STDOUT), redactor=Holed())
    assert capfdbinary.readouterr().out == b""


def test_the_same_host_without_a_hole_is_delivered(tmp_path: Path):
    target = tmp_path / "t.tar.gz"
    given(Order(target))
    files = unpacked(target.read_bytes())
    assert SECRET.encode() not in b"".join(files.values())
    assert b"DB_PASSWORD=<redacted:password:" in files["answers/api.container.json"]


def command(*args: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    return command_line.run_bytes("bundle", *args, env=env, cwd=cwd)


def test_the_command_streams_an_archive_and_says_so_on_stderr(tmp_path: Path):
    done = command("-o", "-", cwd=tmp_path)
    assert done.returncode == 0
    assert "manifest.json" in unpacked(done.stdout)
    assert done.stderr.endswith(b" to stdout\n")
    assert not list(tmp_path.iterdir())


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    env = {
        **os.environ,
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "DIAGNOSE": f"{sys.executable} -m diagnose",
    }
    return subprocess.run(
        ["sh", "-c", line], capture_output=True, cwd=cwd, env=env, timeout=90, check=False
    )


STREAMS = {
    "a full disk": (
        "$DIAGNOSE bundle -o - >/dev/full",
        b"Error: cannot write to stdout: No space left on device\n",
    ),
    "nothing": ("$DIAGNOSE bundle -o - >&-", b"Error: not written: stdout is closed\n"),
    "a full disk, of a report": (
        "$DIAGNOSE all --from demo >/dev/full",
        b"Error: cannot write the report: No space left on device\n",
    ),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.fuzz
def test_a_stdout_that_takes_nothing_is_said_so_with_exit_3(name: str, tmp_path: Path):
    line, said = STREAMS[name]
    done = shell(line, tmp_path)
    assert done.returncode == 3
    assert done.stderr == said


def test_nothing_is_written_to_a_terminal(tmp_path: Path):
    ours, theirs = pty.openpty()
    env = {**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    argv = [sys.executable, "-m", "diagnose", "bundle", "-o", "-"]
    done = subprocess.run(
        argv,
        stdout=theirs,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        cwd=tmp_path,
        env=env,
        timeout=90,
        check=False,
    )
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 3
    assert (
        done.stderr
        == b"Error: not written: stdout is a terminal; redirect it, or name a file with -o FILE\n"
    )


@pytest.mark.fuzz
def test_a_closed_stdout_does_not_change_the_exit_code(tmp_path: Path):
    done = shell("$DIAGNOSE all --from demo >&-", tmp_path)
    assert (done.returncode, done.stderr) == (2, b"")


def test_the_command_keeps_the_names_of_an_anonymised_bundle(tmp_path: Path):
    done = command("--anonymize", "--map", "names.json", "-o", "x.tar.gz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["names.json", "x.tar.gz"]
    head = json.loads(unpacked((tmp_path / "x.tar.gz").read_bytes())["manifest.json"])
    assert head["host"] == "host01"


REFUSED = {
    "a target that exists": (["-o", "mine.tar.gz"], b"it exists"),
    "a map that exists": (["--anonymize", "--map", "mine.tar.gz", "-o", "-"], b"it exists"),
    "a map of nothing": (["--map", "x.json"], b"--map goes with --anonymize only"),
    "a size that is none": (["--max-size", "much"], b"is not a size"),
    "a size for nothing": (["--max-size", "1k"], b"too small"),
    "a folder that is not there": (["-o", "no/x.tar.gz"], b"no is not a folder"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.fuzz
def test_the_command_refuses_in_one_sentence_with_exit_3(name: str, tmp_path: Path):
    (tmp_path / "mine.tar.gz").write_bytes(b"mine")
    args, hint = REFUSED[name]
    done = command(*args, cwd=tmp_path)
    assert done.returncode == 3
    assert hint in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""
    assert [path.name for path in tmp_path.iterdir()] == ["mine.tar.gz"]
