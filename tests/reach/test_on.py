"""`--on`: what the other side is given, what it leaves, and what is said when something goes wrong.
ssh is a stand-in that runs the command on this machine; `tests/lab/test_on.py` has real ones."""

from __future__ import annotations

import gzip
import io
import json
import os
import platform
import pty
import signal
import subprocess
import sys
import tarfile
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from diagnose.reach.target import Target, TargetError, parse
from diagnose.reach.tour import worst
from diagnose.version import __version__
from tests import command_line

pytestmark = pytest.mark.xdist_group("on")  # each looks for what the others might leave
ROOT = Path(__file__).parent.parent.parent
MACHINE = platform.machine()
ARCHIVE = f"diagnose-{__version__}-linux-{MACHINE}.tar.gz"
SSH = """#!/bin/sh
[ "$1" != -G ] || exit 0
for command; do before=$host; host=$command; [ "$before" != -- ] || name=$host; done
[ -z "$name" ] || export REMOTE_HOST=$name
host=$before
case $before in
refuses) echo "ssh: connect to host $before port 22: Connection refused" >&2; exit 255 ;;
mute) exec sleep 100 ;;
babbling) exec yes "Welcome to $before" ;;
boundless) yes | tr -d '\\n'; exit ;;
noisy) echo "Welcome to $before"; echo "Last login: today" ;;
esac
export REMOTE_HOST="$before"
exec sh -c "$command"
"""
TOOL = """#!/bin/sh
case $REMOTE_HOST in
dies) sleep 1; kill -9 $PPID; exit 0 ;; # its shell has started what watches the connection
waits) echo $$ >"$PIDS"; sleep 100 & wait ;;
slow) sleep 1 ;;
esac
printf '%s\\n' "$0" "$@"
for word; do [ ! -f "$word" ] || cat "$word"; done
[ "$REMOTE_HOST" != face ] || echo "$COLUMNS columns, $TERM, color: ${FORCE_COLOR:-no}"
echo "said on stderr" >&2
case $REMOTE_HOST in bad) exit 2 ;; odd) exit 1 ;; unknown) exit 3 ;; esac
"""
SUDO = """#!/bin/sh
echo "$@" >"$SUDO_LOG"
if [ -n "$SUDO_WANTS" ]; then
    for _ in 1 2 3; do
        printf '%s' "$3" >&2; read -r password
        [ "$password" != "$SUDO_WANTS" ] || break
        echo "Sorry, try again." >&2
    done
    [ "$password" = "$SUDO_WANTS" ] || exit 1
fi
shift 3
exec "$@"
"""


class Elsewhere:
    """A stand-in for ssh in PATH, and an archive whose tool prints what it is given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before = _folders()
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.archive = folder / ARCHIVE
        self.program("ssh", SSH)
        with (
            gzip.open(self.archive, "wb") as stream,
            tarfile.open(fileobj=stream, mode="w") as packed,
        ):
            entry = tarfile.TarInfo("diagnose/diagnose")
            entry.mode, entry.size = 0o755, len(TOOL)
            packed.addfile(entry, io.BytesIO(TOOL.encode()))

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def start(self, *args: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "diagnose", *self._with_archive(args)],
            cwd=ROOT,
            env=self._environment(env),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *args: str, **env: str) -> tuple[int, str, str]:
        done = command_line.run(*self._with_archive(args), env=self._environment(env), cwd=ROOT)
        return done.returncode, done.stdout, done.stderr

    def _with_archive(self, args: Sequence[str]) -> list[str]:
        return [*args, "--folder", str(self.archive)]

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        pids = str(self.folder / "pids")
        return {**os.environ, "PATH": f"{self.bin}:/usr/bin:/bin", "PIDS": pids, **more}

    def left(self) -> list[Path]:
        """Folders that lie somewhere since this test began."""
        return sorted(_folders() - self.before)


def _folders() -> set[Path]:
    """All folders in which the tool is unpacked on this machine."""
    return {
        path
        for base in ("/dev/shm", "/run", "/tmp", "/var/tmp")
        for path in Path(base).glob("diagnose.[0-9]*.[0-9]*")
    }


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    return Elsewhere(tmp_path)


TARGETS = {
    "ssh://web1": Target("web1"),
    "web1": Target("web1"),
    "ssh://root@web1:2222": Target("web1", "root", 2222),
    "ssh://root@[fe80::1]:22": Target("fe80::1", "root", 22),
    "ssh://10.0.0.7/": Target("10.0.0.7"),
}


@pytest.mark.parametrize(("text", "target"), TARGETS.items(), ids=TARGETS)
def test_target(text: str, target: Target) -> None:
    assert parse(text) == target
    assert parse(str(target)) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh://",
        "-oProxyCommand=x",
        "ssh://-l@web1",
        "ssh://a b",
        "ssh://web1:70000",
        "tcp://web1",
        "web1:22/x",
    ],
)
def test_text_that_names_no_host(text: str) -> None:
    with pytest.raises(TargetError):
        parse(text)


@pytest.mark.parametrize(
    ("codes", "code"), [([0, 0], 0), ([0, 3], 3), ([3, 1], 1), ([1, 2, 3], 2), ([], 3)], ids=str
)
def test_worst_exit_code(codes: list[int], code: int) -> None:
    assert worst(codes) == code


def test_shipped_and_run_with_the_user_s_options_and_nothing_is_left(
    elsewhere: Elsewhere, tmp_path: Path
) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("[thresholds]\n# a sign of this file\n")
    args = [
        "check",
        "dns",
        "container.*",
        "--on",
        "ssh://root@noisy:2222",
        "--since",
        "90m",
        "--container",
        "it's",
        "--container",
        "b",
        "-v",
    ]
    code, out, err = elsewhere.run(*args, "--config", str(config), "--no-probe")
    assert code == 0, err
    program, command, *rest = out.splitlines()
    assert program.startswith("/dev/shm/diagnose.")
    assert command == "check"
    options, selectors = rest[: rest.index("--")], rest[rest.index("--") :]
    assert options[:1] == ["--config"]
    assert sorted(options[2:]) == [
        "--container=b",
        "--container=it's",
        "--no-probe",
        "--since=5400.0",
        "--verbose",
    ]
    assert selectors[:3] == ["--", "dns", "container.*"]
    assert "# a sign of this file" in out
    assert err == "said on stderr\n"
    assert not elsewhere.left()


def test_tool_of_the_same_version_is_not_shipped(elsewhere: Elsewhere) -> None:
    elsewhere.program(
        "diagnose",
        f'#!/bin/sh\n[ "$1" != --version ] || {{ echo "diagnose {__version__}"; exit; }}\necho installed "$@"\n',
    )
    elsewhere.archive.unlink()
    assert elsewhere.run("all", "--on", "web1")[:2] == (0, "installed all\n")


def test_tool_of_another_version_is_not_used(elsewhere: Elsewhere) -> None:
    elsewhere.program("diagnose", "#!/bin/sh\necho diagnose 0.0.1\n")
    code, out, _ = elsewhere.run("all", "--on", "web1")
    assert (code, out.startswith("/dev/shm/diagnose.")) == (0, True)


ROOM = {
    "/dev/shm is full": ("/dev/shm", "/run/"),
    "all that is memory is full": ("/dev/shm|/run*", "/tmp/"),
}


@pytest.mark.parametrize(("full", "place"), ROOM.values(), ids=ROOM)
def test_next_choice_where_there_is_no_room(elsewhere: Elsewhere, full: str, place: str) -> None:
    if os.geteuid() != 0 and place == "/run/":
        pytest.skip("not root: /run is not writable")
    elsewhere.program(
        "df", f'#!/bin/sh\ncase $2 in {full}) echo "f 1 1 7 0% /" ;; *) exec /bin/df "$@" ;; esac\n'
    )
    code, out, err = elsewhere.run("all", "--on", "web1", XDG_RUNTIME_DIR="")
    assert (code, out.startswith(f"{place}diagnose.")) == (0, True), out + err
    assert not elsewhere.left()


FAILURES = {
    "refused": (
        "refuses",
        {},
        "no report: the connection ended: connect to host refuses port 22: Connection refused",
    ),
    "writes without end": ("babbling", {}, "writes on and on instead of an answer"),
    "writes one line without end": ("boundless", {}, "sends a line without an end"),
    "ends in the middle": ("dies", {}, "no report: the run was cut off"),
    "no room at all": (
        "web1",
        {"df": '#!/bin/sh\necho "f 1 1 7 0% /"\n'},
        "no report: there is no room for",
    ),
    "another machine": (
        "web1",
        {"uname": "#!/bin/sh\necho riscv64\n"},
        f"the folder is for {MACHINE}, and this host is riscv64",
    ),
    "no tar": (
        "web1",
        {"tar": "#!/bin/sh\nexit 127\n"},
        "the archive cannot be unpacked in /dev/shm/diagnose.",
    ),
    "no sudo": (
        "web1 --sudo",
        {
            "id": "#!/bin/sh\necho 1000\n",
            "sudo": "#!/bin/sh\necho 'sudo: no tty present' >&2; exit 1\n",
        },
        "sudo: no tty present",
    ),
}


@pytest.mark.parametrize(("host", "programs", "reason"), FAILURES.values(), ids=FAILURES)
def test_failure_is_one_sentence_and_unknown(
    elsewhere: Elsewhere, host: str, programs: dict[str, str], reason: str
) -> None:
    for name, text in programs.items():
        elsewhere.program(name, text)
    code, out, err = elsewhere.run("all", "--on", *host.split())
    assert (code, out) == (3, "")
    assert reason in err
    assert len(err.splitlines()) == 1
    for _ in range(50):
        if not elsewhere.left():
            break
        time.sleep(0.1)
    assert not elsewhere.left()


def test_end_of_this_side_ends_the_tool_there_and_leaves_nothing(
    elsewhere: Elsewhere, tmp_path: Path
) -> None:
    process = elsewhere.start("all", "--on", "waits")
    pids = tmp_path / "pids"
    _until(lambda: pids.exists() and pids.read_text().strip())
    assert elsewhere.left()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    pid = int(pids.read_text())
    _until(lambda: not Path(f"/proc/{pid}").exists())
    _until(lambda: not elsewhere.left())


SUDO_CASES = {
    "root already": ("0", "", "", 0, ""),
    "without a password": ("1000", "", "", 0, "sudo"),
    "with a password": ("1000", "made-up", "made-up", 0, "sudo"),
    "a wrong password": ("1000", "made-up", "other", 3, "sudo"),
}


@pytest.mark.parametrize(
    ("uid", "wanted", "given", "code", "by"), SUDO_CASES.values(), ids=SUDO_CASES
)
def test_sudo(
    elsewhere: Elsewhere, tmp_path: Path, uid: str, wanted: str, given: str, code: int, by: str
) -> None:
    elsewhere.program("sudo", SUDO)
    elsewhere.program("id", f"#!/bin/sh\necho {uid}\n")
    log, secret = tmp_path / "sudo.log", tmp_path / "password"
    secret.write_text(f"{given}\n")
    args = ["all", "--on", "web1", "--sudo", "--sudo-password", str(secret)]
    seen, out, err = elsewhere.run(*args, SUDO_WANTS=wanted, SUDO_LOG=str(log))
    assert seen == code, out + err
    assert log.exists() == bool(by)
    if code == 0:
        assert out.startswith("/dev/shm/diagnose.")
    else:
        assert err == "web1: no report: sudo does not take the password\n"
    if by:
        assert "made-up" not in log.read_text()


def test_several_hosts_are_reported_in_order_with_the_exit_code_of_the_worst(
    elsewhere: Elsewhere,
) -> None:
    code, out, err = elsewhere.run(
        "all", "--on", "odd", "--on", "refuses", "--on", "bad", "--on", "fine"
    )
    assert code == 2
    heads = [line for line in out.splitlines() if line.startswith("# ")]
    assert heads == ["# odd", "# bad", "# fine"]
    assert "refuses: no report: " in err
    assert "bad: said on stderr" in err


def test_a_file_for_each_host(elsewhere: Elsewhere, tmp_path: Path) -> None:
    code, out, err = elsewhere.run(
        "bundle", "--on", "fine", "--on", "root@other:22", "-o", str(tmp_path / "b-{host}.tar.gz")
    )
    assert (code, out) == (0, ""), err
    assert (tmp_path / "b-fine.tar.gz").read_text().splitlines()[1:] == ["bundle", "-o", "-"]
    assert (tmp_path / "b-root_other_22.tar.gz").stat().st_mode & 0o777 == 0o600
    again = elsewhere.run("bundle", "--on", "fine", "-o", str(tmp_path / "b-{host}.tar.gz"))
    assert again[0] == 3
    assert "overwrites nothing" in again[2]


USAGE = {
    "one file for two hosts": (
        ["all", "--on", "a", "--on", "b", "-o", "r.json"],
        "put {host} into its name",
    ),
    "two bundles on stdout": (
        ["bundle", "--on", "a", "--on", "b", "-o", "-"],
        "several bundles do not go to stdout",
    ),
    "a recording": (["all", "--on", "a", "--from", "demo"], "--from does not go with --on"),
    "a map": (["bundle", "--on", "a", "--anonymize", "--map", "m"], "--map does not go with --on"),
    "a password without sudo": (
        ["all", "--on", "a", "--sudo-password", "f"],
        "--sudo-password goes with --sudo only",
    ),
    "sudo without a host": (["all", "--sudo"], "goes with --on only"),
    "a configuration that cannot be read": (
        ["all", "--on", "a", "--config", "/none.toml"],
        "/none.toml",
    ),
}


@pytest.mark.parametrize(("args", "reason"), USAGE.values(), ids=USAGE)
def test_usage_error(elsewhere: Elsewhere, args: list[str], reason: str) -> None:
    code, out, err = elsewhere.run(*args)
    assert (code, out) == (3, "")
    assert reason in err


ARCHIVES = {
    "another version": ("diagnose-0.0.1-linux-x86_64.tar.gz", "is version 0.0.1"),
    "another name": ("folder.tar.gz", "is not named as the archive"),
    "not there": (f"none/{ARCHIVE}", "cannot read"),
}


@pytest.mark.parametrize(("name", "reason"), ARCHIVES.values(), ids=ARCHIVES)
def test_archive_that_cannot_be_shipped(
    elsewhere: Elsewhere, tmp_path: Path, name: str, reason: str
) -> None:
    elsewhere.archive = tmp_path / name
    if "/" not in name:
        elsewhere.archive.write_bytes(b"")
    code, _, err = elsewhere.run("all", "--on", "web1")
    assert (code, reason in err) == (3, True), err


@pytest.mark.parametrize(
    ("args", "color"), [((), "1"), (("--no-color",), "no")], ids=["colour", "plain"]
)
def test_text_is_made_for_the_terminal_here(
    elsewhere: Elsewhere, args: tuple[str, ...], color: str
) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 132))
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in ("COLUMNS", "LINES", "NO_COLOR")
    }
    command = [
        sys.executable,
        "-m",
        "diagnose",
        "all",
        "--on",
        "face",
        "--folder",
        str(elsewhere.archive),
        *args,
    ]
    env |= {"PATH": f"{elsewhere.bin}:/usr/bin:/bin", "TERM": "xterm-256color"}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    os.close(theirs)
    assert done.returncode == 0, done.stderr
    assert f"132 columns, xterm-256color, color: {color}" in os.read(ours, 4096).decode()
    os.close(ours)


def test_progress_names_each_stage_on_a_terminal(elsewhere: Elsewhere) -> None:
    ours, theirs = pty.openpty()
    env = {
        **os.environ,
        "PATH": f"{elsewhere.bin}:/usr/bin:/bin",
        "TERM": "xterm-256color",
        "COLUMNS": "120",
    }
    command = [
        sys.executable,
        "-m",
        "diagnose",
        "all",
        "--on",
        "slow",
        "--folder",
        str(elsewhere.archive),
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        timeout=60,
    )
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "running /dev/shm/diagnose." in shown


def test_json_of_several_hosts_is_json_only(elsewhere: Elsewhere) -> None:
    elsewhere.program(
        "diagnose",
        f'#!/bin/sh\n[ "$1" != --version ] || {{ echo "diagnose {__version__}"; exit; }}\necho \'{{"a": 1}}\'\n',
    )
    _, out, _ = elsewhere.run("all", "--on", "a", "--on", "b", "--format", "json")
    assert [json.loads(line) for line in out.splitlines()] == [{"a": 1}, {"a": 1}]


def _until(condition: object, seconds: float = 20) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
