"""`--on`: the tool is shipped, run and removed; what fails is one sentence."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from diagnose.version import __version__
from tests.reach.elsewhere import ARCHIVE, MACHINE, Elsewhere, until

pytestmark = pytest.mark.xdist_group("on")  # each looks for what the others might leave


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
    until(lambda: pids.exists() and pids.read_text().strip())
    assert elsewhere.left()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    pid = int(pids.read_text())
    until(lambda: not Path(f"/proc/{pid}").exists())
    until(lambda: not elsewhere.left())


SUDO_CASES = {
    "root already": ("0", "", "", 0, ""),
    "without a password": ("1000", "", "", 0, "sudo"),
    "with a password": ("1000", "made-up", "made-up", 0, "sudo"),
    "a wrong password": ("1000", "made-up", "other", 3, "sudo"),
}


@pytest.mark.parametrize(
    ("uid", "wanted", "given", "code", "by"), SUDO_CASES.values(), ids=SUDO_CASES
)
def test_sudo_is_asked_only_where_it_is_needed(
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
