"""`--on` with several hosts: order, files, progress, exit code."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from diagnose.reach.tour import worst
from diagnose.version import __version__
from tests.reach.elsewhere import ROOT, Elsewhere

pytestmark = pytest.mark.xdist_group("on")  # each looks for what the others might leave


@pytest.mark.parametrize(
    ("codes", "code"), [([0, 0], 0), ([0, 3], 3), ([3, 1], 1), ([1, 2, 3], 2), ([], 3)], ids=str
)
def test_worst_exit_code(codes: list[int], code: int) -> None:
    assert worst(codes) == code


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
