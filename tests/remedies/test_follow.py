"""`diagnose follow`: nothing is run that was not agreed to, and the transcript holds no secret."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from diagnose.follow import script, shell, steps
from diagnose.follow.guide import Guide, Means, StoppedError
from diagnose.follow.shell import CommandEnd
from diagnose.follow.transcript import Transcript
from diagnose.model import Severity, Subject
from diagnose.runbooks import Command
from tests import command_line

KEY = "made.up@container:web"
ROOT = Path(__file__).parents[2]
LOOK = Command("confirm", "safe", "look", "See it:")
START = Command("fix", "disruptive", "start", "It restarts.")
WIPE = Command("fix", "destructive", "wipe", "Its data is gone.")
EDIT = Command("fix", "safe", "edit shop:1.4", "With your values.", example=True)
CHECK = Command("verify", "safe", "check", "")


class Scripted:
    """A person whose answers are known before; EOF once there is none left."""

    def __init__(self, answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.read: list[str] = []

    def say(self, text: str = "", indent: int = 0) -> None:
        self.read.append(text)

    def show(self, command: str) -> None:
        self.read.append(command)

    def stream(self, output: str) -> None:
        self.read.append(output)

    def ask(self, question: str) -> str:
        self.read.append(question)
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)


class Host:
    """Commands that are only noted, and a finding that goes away once one of the curing has been
    run."""

    def __init__(
        self, cured_by: str = "", codes: Mapping[str, int] | None = None, verdict: str = "found"
    ) -> None:
        self.ran: list[str] = []
        self.cured_by, self.codes, self.verdict = cured_by, codes or {}, verdict

    def run(self, text: str, stream: Callable[[str], None]) -> CommandEnd:
        self.ran.append(text)
        stream("output")
        return CommandEnd(self.codes.get(text, 0), "" if text == "silent" else "output", 0.1)

    def diagnose(self) -> Mapping[str, Any]:
        cured = self.cured_by in self.ran
        findings = [] if cured else [{"key": KEY, "severity": "critical", "summary": ""}]
        if self.verdict != "found":
            findings = []
        verdict = "passed" if cured else self.verdict
        return {"findings": findings, "checks": [{"id": "made.up", "verdict": verdict, "why": ""}]}


def plan(*commands: Command, name: str = "web") -> steps.CurePlan:
    def of(purpose: str) -> tuple[steps.PageStep, ...]:
        return tuple(
            steps.PageStep(command, "it") for command in commands if command.purpose == purpose
        )

    keys = frozenset({KEY})
    return steps.CurePlan(
        "made.up", KEY, Severity.critical, Subject("container", name), "it is down", (),
        of("confirm"), of("fix"), of("verify"), keys, keys,
    )  # fmt: skip


def walked(
    tmp_path: Path, what: steps.CurePlan, answers: Sequence[str], host: Host
) -> tuple[str, str]:
    """How the walk ends, and its transcript."""
    transcript = Transcript(tmp_path / "t.md")
    transcript.begin(what, "shop-3", "1.0")
    hands = Means(host.run, host.diagnose, lambda _: None)
    try:
        ending: str = Guide(what, Scripted(answers), hands, transcript).walk()
    except StoppedError as why:
        ending = f"stopped: {why}"
    except EOFError:
        ending = "interrupted"
    assert transcript.close() == ""
    return ending, (tmp_path / "t.md").read_text()


WALKS: dict[str, tuple[steps.CurePlan, list[str], Host, str, list[str]]] = {
    "all is agreed to": (plan(LOOK, START, CHECK), ["yes", "yes", "yes"], Host("start"), "healed", ["look", "start", "check"]),
    "a look is left out": (plan(LOOK, START), ["skip", "yes"], Host("start"), "healed", ["start"]),
    "a fix is left out": (plan(START, WIPE), ["skip", "web"], Host("wipe"), "healed", ["wipe"]),
    "no answer": (plan(START), [], Host("start"), "interrupted", []),
    "quit": (plan(LOOK, START), ["yes", "quit"], Host("start"), "stopped: You ended", ["look"]),
    "another word is not a yes": (plan(START), ["y", "YES please", "", "quit"], Host("start"), "stopped: You ended", []),
    "a yes does not destroy": (plan(WIPE), ["yes", "Web", "quit"], Host("wipe"), "stopped: You ended", []),
    "the name does": (plan(WIPE), ["web"], Host("wipe"), "healed", ["wipe"]),
    "a container called skip": (plan(WIPE, name="skip"), ["skip"], Host("wipe"), "not healed", []),
    "a container called quit": (plan(WIPE, name="quit"), ["quit"], Host("wipe"), "stopped: You ended", []),
    "a name that cannot be seen": (plan(WIPE, name="w\x1beb"), ["w\x1beb"], Host("wipe"), "not healed", []),
    "a command that cannot be seen": (
        plan(Command("fix", "safe", "start 'a\x1b[2Jb'", "")), ["yes"], Host("start"), "not healed", [],
    ),
    "a confirm that fails": (plan(LOOK, START), ["yes", "yes"], Host("start", {"look": 1}), "stopped: This command does not", ["look"]),
    "a confirm that shows nothing": (
        plan(Command("confirm", "safe", "silent", ""), START), ["yes", "yes"], Host("start"), "stopped: This command does not",
        ["silent"],
    ),
    "a confirm that may be silent": (
        plan(Command("confirm", "safe", "silent", "", may_fail=True), START), ["yes", "yes"], Host("start"), "healed",
        ["silent", "start"],
    ),
    "a confirm that may fail": (
        plan(Command("confirm", "safe", "validate", "", may_fail=True), START), ["yes", "yes"],
        Host("start", codes={"validate": 1}), "healed", ["validate", "start"],
    ),
    "a look that wants a terminal": (
        plan(Command("confirm", "safe", "docker run -it shop sh", ""), START), ["yes", "done", "yes"], Host("start"), "healed",
        ["start"],
    ),
    "a fix that fails": (plan(START, WIPE), ["yes", "web"], Host("wipe", {"start": 4}), "stopped: The command failed", ["start"]),
    "a fix that does not heal": (plan(START, WIPE), ["yes", "next", "web"], Host("wipe"), "healed", ["start", "wipe"]),
    "nothing heals": (plan(START), ["yes", "again", "next", "quit"], Host("wipe"), "stopped: You ended", ["start"]),
    "the reader's own values": (plan(EDIT), ["yes", "done", "quit"], Host("start"), "stopped: You ended", []),
    "a diagnosis that cannot look": (plan(START), ["yes"], Host("wipe", verdict="unknown"), "unknown", ["start"]),
    "a verification whose output counts": (
        plan(START, Command("verify", "safe", "show", "", may_fail=True)), ["yes", "yes"],
        Host("start", {"show": 1}), "healed", ["start", "show"],
    ),
    "a verification that fails": (plan(START, CHECK), ["yes", "yes"], Host("start", {"check": 1}), "not healed", ["start", "check"]),
}  # fmt: skip


@pytest.mark.parametrize(("what", "answers", "host", "ending", "ran"), WALKS.values(), ids=WALKS)
def test_which_commands_a_walk_runs_and_how_it_ends(
    tmp_path: Path,
    what: steps.CurePlan,
    answers: list[str],
    host: Host,
    ending: str,
    ran: list[str],
):
    host.ran.clear()
    ended, transcript = walked(tmp_path, what, answers, host)
    assert ended.startswith(ending)
    assert host.ran == ran
    commands = re.findall(r"^```sh\n(.*?)\n```$", transcript, re.MULTILINE | re.DOTALL)
    assert set(ran) <= set(commands)
    assert transcript.count("  exit ") == len(ran)


def test_the_transcript_holds_no_secret(tmp_path: Path):
    command = Command("fix", "safe", "mysql --password=Gr33nHorse77 -e 'select 1'", "")
    host = Host()
    host.run = lambda text, stream: CommandEnd(0, "DB_PASSWORD=Gr33nHorse77\n```\n", 0.1)  # type: ignore[method-assign]
    _, transcript = walked(tmp_path, plan(command), ["yes", "quit"], host)
    assert "Gr33nHorse77" not in transcript
    assert "<redacted:" in transcript
    assert (tmp_path / "t.md").stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_no_transcript(tmp_path: Path):
    (tmp_path / "t.md").write_text("mine")
    with pytest.raises(FileExistsError):
        Transcript(tmp_path / "t.md")


def test_the_script_only_looks_until_a_fix_is_named():
    look = Command("confirm", "safe", "echo look", "")
    hidden = Command("confirm", "safe", "look 'a\x1bb'", "")
    safe = Command("fix", "safe", "echo begin\necho end", "Its data\nis kept.")
    hostile = Command("fix", "destructive", "echo 'a\nreboot'", "Its data\nis gone.")
    check = Command("verify", "safe", "echo check", "")
    plans = [plan(look, hidden, safe, EDIT, hostile, check)]
    text = script.text(plans, "shop\nreboot")

    def outcome(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            ["sh", "-s", *words], input=text, text=True, check=False, capture_output=True
        )
        return done.returncode, done.stdout

    assert outcome() == outcome("confirm") == (0, "look\n")
    assert outcome("fix-1") == (0, "begin\nend\n")
    assert outcome("fix-2") == (0, "a\nreboot\n")
    assert outcome("fix-3") == (2, ""), "a fix that needs values of its reader has no name"
    assert outcome("verify") == (0, "check\n")


def test_output_is_passed_on_as_it_comes_and_nothing_is_read():
    seen: list[str] = []
    outcome = shell.run("echo one; cat; echo two >&2; (sleep 30 &) ; exit 3", seen.append)
    assert (outcome.code, outcome.output) == (3, "one\ntwo\n")
    assert "".join(seen) == outcome.output
    assert outcome.seconds < 10


def test_without_a_terminal_nothing_is_asked():
    done = command_line.run("follow", "storage.disk-full", cwd=ROOT)
    assert done.returncode == 3
    assert "there is no terminal" in done.stderr


def test_what_was_typed_before_the_question_is_no_answer():
    """A pasted text must not agree to what nobody has read."""
    code = (
        "import time; from diagnose.follow.terminal import Terminal; print('ready', flush=True); time.sleep(1.5);"
        " print('answer:', Terminal().ask('Run it?'))"
    )
    pid, handle = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-c", code])
    _until(handle, "ready")
    os.write(handle, b"yes\nyes\n")
    _until(handle, "Run it?")
    os.write(handle, b"no\n")
    _until(handle, "answer: no")
    os.waitpid(pid, 0)
    os.close(handle)


def _until(handle: int, what: str) -> None:
    text = ""
    while what not in text:
        text += os.read(handle, 1024).decode()
